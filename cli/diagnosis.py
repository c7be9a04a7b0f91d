"""What is right and what is wrong with an installation, and what to do about it. Pure: facts in, findings out.

`cli/examination.py` gathers the facts. A part that could not be asked has one finding that says so, and none of those
that need its answer.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cli.rights import Right
from resources.crd import custom_resource_definition
from resources.kinds import GROUP, Kind

OLDEST_KUBERNETES = (1, 25)
"""The first that judges rules over several fields (CEL), which our CRDs have, without being told to."""
OLDEST_TEMPORAL = (1, 29)
"""The oldest that our tests run against."""
MOST_SKEW_SECONDS = 15 * 60
"""Signed requests are refused when clocks differ by more."""
SKEW_TO_MENTION_SECONDS = 60


class Verdict(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    """It works, and may not for long, or not as wished."""
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """What one check found; `remedy` is what to do, where something is to be done."""

    part: str
    check: str
    verdict: Verdict
    said: str
    remedy: str = ""


@dataclass(frozen=True)
class Silence:
    """A part that could not be asked, and why."""

    address: str
    why: str


@dataclass(frozen=True)
class Webhook:
    """The injector's webhook configuration; `authorities` False: one of its webhooks has none yet."""

    name: str
    authorities: bool
    policies: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kubernetes:
    """What the API server said. Of a definition None: there is none; a text: why it could not be read."""

    address: str
    version: str
    definitions: Mapping[Kind, Mapping[str, Any] | str | None]
    rights: Mapping[Right, bool]
    webhook: Webhook | str | None = None
    account: str = ""


@dataclass(frozen=True)
class Temporal:
    """What Temporal's frontend said. `namespace_known` may also be why that could not be asked."""

    address: str
    version: str
    namespace: str
    namespace_known: bool | str
    pollers: Mapping[str, int | str] = field(default_factory=dict)
    """Who polled of late, by task queue."""


@dataclass(frozen=True)
class AppMesh:
    """What the App Mesh API said to a signed request, and who it was signed by (the key's id)."""

    address: str
    key: str | None
    code: str | None = None
    """The error's; None when it answered what was asked."""
    message: str = ""
    skew_seconds: float | None = None
    """How far its clock is ahead of ours, if it told."""
    feed: bool | str = True
    """Whether it has a change feed; a text: why that cannot be told."""


@dataclass(frozen=True)
class CloudMap:
    """What Cloud Map said to a signed request: nothing wrong, or an error."""

    address: str
    error: str | None = None


@dataclass(frozen=True)
class Facts:
    """All that was gathered. None: this installation has no such part, as far as we were told."""

    kubernetes: Kubernetes | Silence
    temporal: Temporal | Silence
    app_mesh: AppMesh | Silence | None
    cloud_map: CloudMap | Silence | None = None


def findings(facts: Facts) -> tuple[Finding, ...]:
    """All findings, part by part."""
    return (
        *_kubernetes(facts.kubernetes),
        *_temporal(facts.temporal),
        *_app_mesh(facts.app_mesh),
        *_cloud_map(facts.cloud_map),
    )


def _kubernetes(facts: Kubernetes | Silence) -> Iterator[Finding]:
    part = "kubernetes"
    if isinstance(facts, Silence):
        yield _silent(part, facts, "Set KUBECONFIG to a cluster that is up, and see that its address can be reached.")
        return
    yield Finding(part, "reachable", Verdict.OK, facts.address)
    version = numbers(facts.version)
    old = version is not None and version < OLDEST_KUBERNETES
    yield Finding(
        part,
        "version",
        Verdict.FAILED if old else Verdict.OK,
        facts.version,
        "Upgrade the cluster: our CRDs need Kubernetes 1.25." if old else "",
    )
    for kind, definition in facts.definitions.items():
        yield definition_finding(kind, definition)
    for process in dict.fromkeys(right.process for right in facts.rights):
        yield _rights(process, facts)
    if facts.webhook is not None:
        yield _webhook(facts.webhook)


def definition_finding(kind: Kind, found: Mapping[str, Any] | str | None) -> Finding:
    """Whether the cluster has our definition of a kind."""
    name = f"{kind.plural}.{GROUP}"
    apply = "kubectl apply --server-side --force-conflicts -f deploy/crds (with Helm: upgrade the chart)"
    if found is None:
        return Finding("kubernetes", f"crd {name}", Verdict.FAILED, "not installed", f"Install it: {apply}.")
    if isinstance(found, str):
        ask = "Ask as an account that may get customresourcedefinitions, to have them compared."
        return Finding("kubernetes", f"crd {name}", Verdict.WARNING, found, ask)
    conditions = {each["type"]: each["status"] for each in (found.get("status") or {}).get("conditions") or ()}
    if conditions.get("Established") != "True":
        look = f"See kubectl describe crd {name}."
        return Finding("kubernetes", f"crd {name}", Verdict.FAILED, "installed, and not served", look)
    where = next(missing_from(custom_resource_definition(kind)["spec"], found.get("spec") or {}, "spec"), None)
    if where is not None:
        said = f"another version than this program's: {where} differs"
        return Finding("kubernetes", f"crd {name}", Verdict.FAILED, said, f"Bring it up to date: {apply}.")
    return Finding("kubernetes", f"crd {name}", Verdict.OK, "installed, and as this version has it")


def missing_from(ours: Any, theirs: Any, path: str) -> Iterator[str]:
    """Where something of ours is absent or other. What the API server adds of its own (defaults) does not count."""
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        for key, value in ours.items():
            yield from missing_from(value, theirs.get(key), f"{path}.{key}")
        if path.endswith(".properties"):
            yield from (f"{path}.{key}" for key in theirs if key not in ours)
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from missing_from(one, other, f"{path}[{number}]")
    elif ours != theirs:
        yield path


def _rights(process: str, facts: Kubernetes) -> Finding:
    of_process = {right: allowed for right, allowed in facts.rights.items() if right.process == process}
    refused = [str(right) for right, allowed in of_process.items() if not allowed]
    who = facts.account or "this account"
    if not refused:
        return Finding("kubernetes", f"rights of the {process}", Verdict.OK, f"{who} has all {len(of_process)}")
    return Finding(
        "kubernetes",
        f"rights of the {process}",
        Verdict.FAILED,
        f"{who} may not: {', '.join(refused)}",
        f"Bind it to the ClusterRole meshwright-{process} of deploy/kubernetes, or ask with --as for the account that "
        f"the {process} has.",
    )


def _webhook(found: Webhook | str) -> Finding:
    if isinstance(found, str):
        ask = "Ask as an account that may get mutatingwebhookconfigurations."
        return Finding("kubernetes", "injection webhook", Verdict.WARNING, found, ask)
    if not found.authorities:
        return Finding(
            "kubernetes",
            "injection webhook",
            Verdict.FAILED,
            f"{found.name} has no caBundle: the API server cannot call it",
            "Start the injector, which fills it in; its log says what keeps it from that.",
        )
    strict = ", pods are refused while it is down" if "Fail" in found.policies else ""
    return Finding("kubernetes", "injection webhook", Verdict.OK, f"{found.name} has its authority{strict}")


def _temporal(facts: Temporal | Silence) -> Iterator[Finding]:
    part = "temporal"
    if isinstance(facts, Silence):
        yield _silent(part, facts, "Set TEMPORAL_ADDRESS (and TEMPORAL_TLS, TEMPORAL_API_KEY where it asks for them).")
        return
    yield Finding(part, "reachable", Verdict.OK, facts.address)
    version = numbers(facts.version)
    old = version is not None and version < OLDEST_TEMPORAL
    yield Finding(
        part,
        "version",
        Verdict.WARNING if old else Verdict.OK,
        facts.version or "not told",
        "Upgrade the server: Meshwright is tested with 1.29 and later." if old else "",
    )
    namespace = f"namespace {facts.namespace}"
    if facts.namespace_known is not True:
        said = facts.namespace_known or "does not exist"
        make = f"Make it: temporal operator namespace create --namespace {facts.namespace}; or set TEMPORAL_NAMESPACE."
        yield Finding(part, namespace, Verdict.FAILED, said, make)
        return
    yield Finding(part, namespace, Verdict.OK, "exists")
    for queue, count in facts.pollers.items():
        yield _pollers(queue, count)


def _pollers(queue: str, count: int | str) -> Finding:
    check = f"workers of {queue}"
    if isinstance(count, str):
        return Finding("temporal", check, Verdict.WARNING, count, "Ask with a key that may describe task queues.")
    if count == 0:
        start = "Start meshwright worker, with the same TEMPORAL_NAMESPACE and MESHWRIGHT_TASK_QUEUE as here."
        return Finding("temporal", check, Verdict.FAILED, "nobody polls it: nothing is reconciled", start)
    return Finding("temporal", check, Verdict.OK, f"{count} polling")


def _app_mesh(facts: AppMesh | Silence | None) -> Iterator[Finding]:
    part = "app mesh"
    if facts is None:
        set_it = "Set AWS_ENDPOINT_URL_APP_MESH to the URL of meshwright control-plane."
        yield Finding(part, "reachable", Verdict.FAILED, "no endpoint is set", set_it)
        return
    if isinstance(facts, Silence):
        yield _silent(part, facts, "Start meshwright control-plane, or correct AWS_ENDPOINT_URL_APP_MESH.")
        return
    yield Finding(part, "reachable", Verdict.OK, facts.address)
    yield _key(facts)
    if facts.skew_seconds is not None:
        yield _skew(facts.skew_seconds)
    if facts.code is None:
        yield _feed(facts.feed)


def _key(facts: AppMesh) -> Finding:
    if facts.key is None:
        set_it = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to a key of the control plane."
        return Finding("app mesh", "key", Verdict.FAILED, "no credentials to sign requests with", set_it)
    if facts.code is None:
        return Finding("app mesh", "key", Verdict.OK, f"{facts.key} is accepted")
    return Finding(
        "app mesh",
        "key",
        Verdict.FAILED,
        f"{facts.key}: {facts.code}: {facts.message}",
        "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to one of the control plane's MESHWRIGHT_ACCESS_KEYS, and "
        "AWS_REGION to its region.",
    )


def _skew(seconds: float) -> Finding:
    ahead = "ahead of" if seconds > 0 else "behind"
    said = f"its clock is {abs(seconds):.0f} s {ahead} ours" if abs(seconds) >= 1 else "its clock is as ours"
    set_it = "Set the clocks of both machines by NTP."
    if abs(seconds) > MOST_SKEW_SECONDS:
        return Finding("app mesh", "clock", Verdict.FAILED, f"{said}: signed requests are refused", set_it)
    if abs(seconds) > SKEW_TO_MENTION_SECONDS:
        return Finding("app mesh", "clock", Verdict.WARNING, said, set_it)
    return Finding("app mesh", "clock", Verdict.OK, said)


def _feed(feed: bool | str) -> Finding:
    if feed is True:
        return Finding("app mesh", "change feed", Verdict.OK, "offered: drift is known at once")
    said = feed or "not offered: drift is found by sweeps"
    use = "Nothing, if this is meant; otherwise use meshwright control-plane, and no proxy that hides /v1/changes."
    return Finding("app mesh", "change feed", Verdict.WARNING, said, use)


def _cloud_map(facts: CloudMap | Silence | None) -> Iterator[Finding]:
    part = "cloud map"
    if facts is None:
        return
    if isinstance(facts, Silence):
        yield _silent(part, facts, "Correct AWS_ENDPOINT_URL_SERVICEDISCOVERY, or unset it to use AWS's own.")
        return
    yield Finding(part, "reachable", Verdict.OK, facts.address)
    if facts.error is None:
        yield Finding(part, "key", Verdict.OK, "is accepted")
    else:
        give = "Give the key the right to servicediscovery:ListNamespaces, or set another."
        yield Finding(part, "key", Verdict.FAILED, facts.error, give)


def _silent(part: str, silence: Silence, remedy: str) -> Finding:
    return Finding(part, "reachable", Verdict.FAILED, f"{silence.address}: {silence.why}", remedy)


def numbers(version: str) -> tuple[int, int] | None:
    """Major and minor of `v1.34.1+k3s1` or `1.29.1`; None of anything else."""
    parts: Sequence[str] = version.removeprefix("v").split(".")
    if len(parts) < 2 or not (parts[0].isdigit() and parts[1].isdigit()):
        return None
    return int(parts[0]), int(parts[1])
