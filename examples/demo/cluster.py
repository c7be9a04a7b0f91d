"""Kubernetes as the demo needs it: apply, delete, and how each custom resource stands."""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubernetes import client, config

from examples.demo.errors import DemoError, Untrue
from examples.demo.manifests import Manifest
from resources.conditions import Reason, active_condition
from resources.kinds import GROUP, VERSION, Kind

_POLL = 0.1
_SERVER_SIDE_APPLY = {
    "field_manager": "demo",
    "force": True,
    "_content_type": "application/apply-patch+yaml",
}
_REFUSED = {
    Reason.INVALID_SPEC,
    Reason.BAD_REQUEST,
    Reason.FORBIDDEN,
    Reason.LIMIT_EXCEEDED,
    Reason.NAME_CONFLICT,
    Reason.NO_LISTENER,
}


@dataclass(frozen=True, order=True)
class Key:
    """Which custom resource."""

    kind: Kind
    namespace: str | None
    name: str

    @classmethod
    def of(cls, resource: Manifest) -> "Key":
        """The key of a manifest, or of what the API server answers."""
        metadata = resource["metadata"]
        return cls(Kind(resource["kind"]), metadata.get("namespace"), metadata["name"])


@dataclass(frozen=True)
class State:
    """How a resource stands, by its own conditions."""

    active: bool = False
    reason: str = ""
    message: str = ""
    current: bool = False
    """Whether this is about the spec that the resource has now."""
    gone: bool = False

    @property
    def label(self) -> str:
        """One word for it."""
        return "gone" if self.gone else self.reason or "applied"

    @property
    def sentence(self) -> str:
        """`Active`, or the reason with its message."""
        return self.label if self.active or not self.message else f"{self.label}: {self.message}"

    @property
    def waiting(self) -> bool:
        """Whether the resource waits for another one."""
        return self.current and not self.active and self.reason.startswith("Waiting")

    @property
    def refused(self) -> bool:
        """Whether no patience will make it Active."""
        return self.current and self.reason in _REFUSED


GONE = State(gone=True)


def state_of(resource: Mapping[str, Any]) -> State:
    """The state that the API server's JSON tells; empty while the controller has not said anything."""
    wanted = active_condition(Kind(resource["kind"]))
    status = resource.get("status") or {}
    for condition in (*status.get("meshCondition", ()), *status.get("conditions", ())):
        if condition["type"] == wanted:
            return State(
                active=condition["status"] == "True",
                reason=condition.get("reason", ""),
                message=condition.get("message", ""),
                current=condition.get("observedGeneration") == resource["metadata"]["generation"],
            )
    return State()


class Cluster:
    """One API server."""

    def __init__(self, kubeconfig: Path) -> None:
        connect: Callable[..., Any] = config.new_client_from_config  # it has no types of its own
        connection = connect(str(kubeconfig), persist_config=False)
        self._core: Any = client.CoreV1Api(connection)
        self._custom: Any = client.CustomObjectsApi(connection)

    def apply_namespace(self, manifest: Manifest) -> None:
        """Create a namespace, or leave it as it is."""
        self._core.patch_namespace(manifest["metadata"]["name"], manifest, **_SERVER_SIDE_APPLY)

    def apply(self, manifest: Manifest) -> Key:
        """What `kubectl apply --server-side` does.

        Raises:
            DemoError: the API server refuses it.
        """
        key, api = Key.of(manifest), self._custom
        try:
            if key.namespace is None:
                api.patch_cluster_custom_object(*_place(key), manifest, **_SERVER_SIDE_APPLY)
            else:
                api.patch_namespaced_custom_object(*_place(key), manifest, **_SERVER_SIDE_APPLY)
        except client.ApiException as error:
            raise DemoError(f"the API server refuses {key.kind} {key.name}: {error.body}") from error
        return key

    def delete(self, key: Key) -> None:
        """Ask for deletion; no matter when it is gone already."""
        try:
            if key.namespace is None:
                self._custom.delete_cluster_custom_object(*_place(key))
            else:
                self._custom.delete_namespaced_custom_object(*_place(key))
        except client.ApiException as error:
            if error.status != 404:
                raise

    def follow(
        self,
        keys: Collection[Key],
        until: Callable[[State], bool],
        patience: float,
        show: Callable[[Mapping[Key, State]], None] = lambda states: None,
    ) -> dict[Key, State]:
        """Look at resources, and have it shown, until each is as wanted.

        Raises:
            Untrue: one is refused for good, or they take longer than `patience`.
        """
        deadline = time.monotonic() + patience
        while True:
            found = self.states()
            states = {key: found.get(key, GONE) for key in keys}
            show(states)
            if all(until(state) for state in states.values()):
                return states
            if any(state.refused for state in states.values()):
                raise Untrue("a resource is refused\n" + told(states, lambda state: state.refused))
            if time.monotonic() > deadline:
                late = told(states, lambda state: not until(state))
                raise Untrue(f"after {patience:g} s these are not as they should be\n{late}")
            time.sleep(_POLL)

    def states(self) -> dict[Key, State]:
        """Every custom resource of our group, in the whole cluster."""
        found: dict[Key, State] = {}
        for kind in Kind:
            answer = self._custom.list_cluster_custom_object(GROUP, VERSION, kind.plural)
            for resource in answer["items"]:
                found[Key.of({"kind": kind, **resource})] = state_of({"kind": kind, **resource})
        return found


def told(states: Mapping[Key, State], which: Callable[[State], bool]) -> str:
    """One line for each of the states that are meant."""
    return "\n".join(f"{key.kind} {key.name}: {state.sentence}" for key, state in states.items() if which(state))


def _place(key: Key) -> tuple[str, ...]:
    """The arguments by which the client finds a custom resource."""
    namespace = () if key.namespace is None else (key.namespace,)
    return (GROUP, VERSION, *namespace, key.kind.plural, key.name)
