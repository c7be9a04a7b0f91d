"""One life of a stack in one process, from taking the lock to giving it back.

The lock is the truth about whether a DIR is up: the kernel gives it back however its holder ends.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from deploy.local import crds, parts, ports
from deploy.local.applying import connected
from deploy.local.errors import LocalStackError, SettingMissing
from deploy.local.layout import Layout
from deploy.local.plan import Plan
from deploy.local.process_identity import ProcessIdentity
from deploy.local.readiness import Probe, accepts_connections
from deploy.local.site import EXTERNALS, Site
from deploy.local.status import Phase, StackStatus
from deploy.local.supervisor import Observer, Supervisor, supervise

SUPERVISOR = "supervisor"
"""The supervisor's name among the pid files and logs."""


_POLL = 0.02


class AlreadyUp(LocalStackError):
    """Another process holds the lock of this DIR."""


async def run(layout: Layout, plan: Plan, caller: Mapping[str, str], observe: Observer | None = None) -> None:
    """Run the stack of a plan until it is told to stop.

    Raises:
        AlreadyUp: the stack of this DIR runs already.
        LocalStackError: it could not be started; the status file says so too.
    """
    with held(layout.lock, patience=2.0):  # a command that only asks whether the stack is up holds it for a moment
        layout.status.unlink(missing_ok=True)
        clear_leftovers(layout)
        write_own_identity(layout)
        try:
            site = prepare(layout, plan, caller)
            described = parts.describe(site, parts.chosen(plan.settings.parts, site.external))
            supervisor = Supervisor(described, layout, observe)
            await supervise(supervisor, layout, [part.name for part in described])
        except LocalStackError as error:
            status = StackStatus.read(layout.status) or StackStatus()
            status.phase, status.failure = Phase.FAILED, str(error)
            status.write(layout.status)
            raise
        finally:
            layout.pid(SUPERVISOR).unlink(missing_ok=True)
            layout.identity(SUPERVISOR).unlink(missing_ok=True)


def prepare(layout: Layout, plan: Plan, caller: Mapping[str, str]) -> Site:
    """Ports, keys and DIR/env; and a look at what is external, before anything relies on it."""
    site = Site(
        layout=layout,
        ports=ports.assign(layout.ports, plan.settings.ports),
        binaries=plan.binaries,
        external=plan.settings.external,
        fast=plan.settings.fast,
        caller=caller,
    )
    site.credentials.ensure()
    check_external(site)
    site.write_env()
    return site


def check_external(site: Site) -> None:
    """Raise unless what is external answers; bring our definitions into an external cluster."""
    probes: dict[str, Probe] = {
        "temporal": accepts_connections(site.environment()["TEMPORAL_ADDRESS"]),
        "app-mesh": accepts_connections(_host_and_port(site.environment()["AWS_ENDPOINT_URL_APP_MESH"])),
    }
    for name, probe in probes.items():
        if name in site.external and (lacking := probe()) is not None:
            raise LocalStackError(f"external {name} ({EXTERNALS[name]}) does not answer: {lacking}")
    if "kubernetes" in site.external:
        kubeconfig = Path(site.environment()["KUBECONFIG"])
        require_kubeconfig(kubeconfig)
        crds.apply(kubeconfig)


def require_kubeconfig(kubeconfig: Path) -> None:
    """Raise unless it leads to some cluster; nothing is asked there.

    Raises:
        SettingMissing: there is no such file, or it is no kubeconfig.
    """
    if not kubeconfig.is_file():
        raise SettingMissing(f"external kubernetes: KUBECONFIG names {kubeconfig}, which is not a file")
    with connected(kubeconfig):
        pass


def clear_leftovers(layout: Layout) -> int:
    """End what a killed supervisor left running; how many there were."""
    files = list(layout.run.glob("*.identity"))
    left = [identity for file in files if (identity := ProcessIdentity.read(file)) is not None and identity.alive]
    left = [identity for identity in left if identity.pid != os.getpid()]
    for identity in left:
        identity.end(within=10)
    for file in files:
        file.unlink(missing_ok=True)
        file.with_suffix(".pid").unlink(missing_ok=True)
    for request in layout.run.glob("*.restart"):
        request.unlink(missing_ok=True)
    return len(left)


@contextlib.contextmanager
def held(lock: Path, patience: float = 0.0) -> Iterator[None]:
    """Hold the lock. Children do not inherit it: Python's descriptors are closed on exec.

    Raises:
        AlreadyUp: somebody else holds it, and still does when patience is at its end.
    """
    deadline = time.monotonic() + patience
    with lock.open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise AlreadyUp(f"the stack in {lock.parent.parent} is already up") from error
            time.sleep(_POLL)
        yield


def is_up(layout: Layout) -> bool:
    """Whether a supervisor holds the lock of this DIR."""
    if not layout.lock.exists():
        return False
    try:
        with held(layout.lock):
            return False
    except AlreadyUp:
        return True


def write_own_identity(layout: Layout) -> None:
    """Say who supervises."""
    layout.pid(SUPERVISOR).write_text(f"{os.getpid()}\n")
    if identity := ProcessIdentity.of(os.getpid()):
        identity.write(layout.identity(SUPERVISOR))


def _host_and_port(url: str) -> str:
    found = urlsplit(url)
    return f"{found.hostname}:{found.port or (443 if found.scheme == 'https' else 80)}"
