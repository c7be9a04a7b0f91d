"""Everything that the description of a part may depend on, gathered before anything starts.

In: DIR, the caller's settings and environment, resolved binaries. Out: addresses, and the environment that DIR/env
promises. A setting for an `--external` part comes from the caller's environment and is passed on as it is.
"""

import os
import shlex
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import deploy
from deploy.local.credentials import Credentials
from deploy.local.errors import SettingMissing
from deploy.local.layout import Layout
from deploy.local.ports import HOST

EXTERNALS = {
    "app-mesh": "AWS_ENDPOINT_URL_APP_MESH",
    "kubernetes": "KUBECONFIG",
    "temporal": "TEMPORAL_ADDRESS",
}
"""What may be somebody else's, and the variable that says where it is."""

DEFAULT_REGION = "us-west-2"

_GARBAGE = {"GOGC": "400"}
"""How far Go's heap may grow, in per cent, before garbage is collected. They keep little and throw away much: at Go's
own 100, collecting took Temporal a twentieth of its CPU, and kube-apiserver an eighth."""

_SIGNING = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")
"""Would get in the way of the stack's own access key."""


def require_external(external: Collection[str], caller: Mapping[str, str]) -> None:
    """Raise unless the caller's environment says where each external thing is.

    Raises:
        SettingMissing: a variable is missing, or the thing cannot be external.
    """
    if unknown := sorted(set(external) - set(EXTERNALS)):
        raise SettingMissing(f"{unknown[0]!r} cannot be external; these can: {', '.join(EXTERNALS)}")
    for name in sorted(external):
        if not caller.get(EXTERNALS[name]):
            raise SettingMissing(f"--external {name} needs {EXTERNALS[name]} in the environment")


@dataclass(frozen=True)
class Site:
    """One stack, ready to be described."""

    layout: Layout
    ports: Mapping[str, int]
    binaries: Mapping[str, Path]
    external: frozenset[str] = frozenset()
    fast: bool = False
    """Do not wait for the disk: for tests, whose data nobody misses after a power cut."""
    caller: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    """The environment of whoever starts the stack."""

    def __post_init__(self) -> None:
        require_external(self.external, self.caller)

    @property
    def credentials(self) -> Credentials:
        """The keys of this stack."""
        return Credentials(self.layout.credentials)

    def address(self, port: str) -> str:
        """HOST:PORT of a port by its name."""
        return f"{HOST}:{self.ports[port]}"

    def url(self, port: str, path: str = "") -> str:
        """Plain HTTP address of a port by its name."""
        return f"http://{self.address(port)}{path}"

    def clean_environment(self) -> dict[str, str]:
        """For programs that are not ours, all of them written in Go: nothing else of the caller should reach them."""
        kept = ("PATH", "HOME", "LANG", "TMPDIR", "GOGC", "GOMEMLIMIT")
        return _GARBAGE | {name: self.caller[name] for name in kept if name in self.caller}

    def python(self, *arguments: str) -> tuple[str, ...]:
        """A command line for a Python module; -P keeps the current directory from being searched for modules."""
        return (sys.executable, "-P", "-m", *arguments)

    def python_environment(self, extra: Mapping[str, str]) -> dict[str, str]:
        """For our own processes: the caller's environment, so that every setting reaches them, and ours on top."""
        root = str(Path(deploy.__file__).parents[1])
        path = self.caller.get("PYTHONPATH")
        kept = dict(self.caller)
        if "app-mesh" not in self.external:
            kept = {name: value for name, value in kept.items() if name not in _SIGNING}
        return {
            **kept,
            "PYTHONPATH": f"{root}{os.pathsep}{path}" if path else root,
            "PYTHONUNBUFFERED": "1",
            **extra,
        }

    def environment(self) -> dict[str, str]:
        """What DIR/env exports: all that a client of the stack has to know."""
        caller = self.caller
        found = {
            "KUBECONFIG": str(self.layout.kubeconfig),
            "AWS_ENDPOINT_URL_APP_MESH": self.url("control-plane"),
            "AWS_ENDPOINT_URL_SERVICEDISCOVERY": self.url("cloudmap"),
            "AWS_REGION": caller.get("AWS_REGION") or caller.get("AWS_DEFAULT_REGION") or DEFAULT_REGION,
            "TEMPORAL_ADDRESS": self.address("temporal"),
            "TEMPORAL_NAMESPACE": "default",
            "MESHWRIGHT_TEMPORAL_UI": self.url("temporal-ui"),
            "MESHWRIGHT_XDS_ADDRESS": self.address("xds"),
            "MESHWRIGHT_METRICS": ",".join(self.url(port, "/metrics") for port in self._metrics()),
        }
        # boto3 and version 1 of the AWS CLI read only this one.
        found["AWS_DEFAULT_REGION"] = found["AWS_REGION"]
        found |= self._signing()
        if "kubernetes" in self.external:
            found["KUBECONFIG"] = caller["KUBECONFIG"]
        if "app-mesh" in self.external:
            found["AWS_ENDPOINT_URL_APP_MESH"] = caller["AWS_ENDPOINT_URL_APP_MESH"]
            del found["MESHWRIGHT_XDS_ADDRESS"]
        if "temporal" in self.external:
            found["TEMPORAL_ADDRESS"] = caller["TEMPORAL_ADDRESS"]
            found["TEMPORAL_NAMESPACE"] = caller.get("TEMPORAL_NAMESPACE") or "default"
            del found["MESHWRIGHT_TEMPORAL_UI"]
        return found

    def _metrics(self) -> Iterator[str]:
        """Ports where our own processes tell what they count."""
        yield from ("worker-metrics", "watcher-metrics")
        if not self.external & {"app-mesh", "kubernetes"}:
            yield "injector-metrics"
        if "app-mesh" not in self.external:
            yield "control-plane"

    def _signing(self) -> dict[str, str]:
        if "app-mesh" in self.external:  # whatever signs there is the caller's business, a profile included
            names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE")
            return {name: self.caller[name] for name in names if self.caller.get(name)}
        key = self.credentials.access_key()
        return {"AWS_ACCESS_KEY_ID": key.id, "AWS_SECRET_ACCESS_KEY": key.secret}

    def write_env(self) -> None:
        """Write DIR/env; it holds a secret, so only the owner may read it."""
        lines = (f"export {name}={shlex.quote(value)}\n" for name, value in self.environment().items())
        self.layout.env.touch(mode=0o600)
        self.layout.env.chmod(0o600)
        self.layout.env.write_text("".join(lines))
