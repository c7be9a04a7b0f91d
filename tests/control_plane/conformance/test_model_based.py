"""Random operations against the API and against a model of it that fits on a page; both must agree.

The model knows names, parents, references and versions, and by them what each call must answer. It is written from the
documentation, not from the table in `semantics.py`.
"""

from itertools import count
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.control_plane import specs
from tests.control_plane.mesh import SNAKE, MeshUnderTest

Key = tuple[str, str, str]  # kind, parent, name
NAMES = st.sampled_from(["a", "b", "c"])
_numbers = count()


class Model:
    """What a mesh holds, and what a call on it must answer: an error code, or None for success."""

    def __init__(self) -> None:
        self.versions: dict[Key, int] = {}
        self.refers: dict[Key, set[Key]] = {}

    def create(self, key: Key, refers: set[Key]) -> str | None:
        """Put a new object in, if it may."""
        if not self._parent_exists(key):
            return "NotFoundException"
        if key in self.versions:
            return "ConflictException"
        if not refers <= self.versions.keys():
            return "NotFoundException"
        self.versions[key], self.refers[key] = 1, refers
        return None

    def update(self, key: Key, refers: set[Key]) -> str | None:
        """Give an object another spec, if it may."""
        if key not in self.versions or not refers <= self.versions.keys():
            return "NotFoundException"
        self.versions[key] += 1
        self.refers[key] = refers
        return None

    def delete(self, key: Key) -> str | None:
        """Take an object out, if it may."""
        if key not in self.versions:
            return "NotFoundException"
        kind, _, name = key
        child = {"virtualRouter": "route", "virtualGateway": "gatewayRoute"}.get(kind)
        has_children = any((other[0], other[1]) == (child, name) for other in self.versions)
        if has_children or any(key in refers for refers in self.refers.values()):
            return "ResourceInUseException"
        del self.versions[key], self.refers[key]
        return None

    def _parent_exists(self, key: Key) -> bool:
        kind, parent, _ = key
        parent_kind = {"route": "virtualRouter", "gatewayRoute": "virtualGateway"}.get(kind)
        return parent_kind is None or (parent_kind, "", parent) in self.versions


class Api(RuleBasedStateMachine):
    """Drives both. A token of a successful write may be used again at any time."""

    tokens = Bundle("tokens")
    client: Any

    @initialize()
    def begin(self) -> None:
        """Start with an empty mesh."""
        self.model = Model()
        self.mesh = MeshUnderTest(self.client, f"random-{next(_numbers)}")
        self.client.create_mesh(meshName=self.mesh.name)

    @rule(kind=st.sampled_from(["virtualNode", "virtualRouter", "virtualGateway"]), name=NAMES, write=st.booleans())
    def write_plain(self, kind: str, name: str, write: bool) -> None:
        """Create or update something that refers to nothing."""
        spec = {"virtualNode": {}, "virtualRouter": {}, "virtualGateway": specs.gateway()}[kind]
        self._write("create" if write else "update", (kind, "", name), spec, set())

    @rule(name=NAMES, provider=st.sampled_from(["virtualNode", "virtualRouter", None]), of=NAMES, create=st.booleans())
    def write_service(self, name: str, provider: str | None, of: str, create: bool) -> None:
        """Create or update a service with a provider, or without."""
        spec = {} if provider is None else {"provider": {provider: {f"{provider}Name": of}}}
        refers = set() if provider is None else {(provider, "", of)}
        self._write("create" if create else "update", ("virtualService", "", name), spec, refers)

    @rule(name=NAMES, router=NAMES, nodes=st.sets(NAMES, min_size=1), create=st.booleans())
    def write_route(self, name: str, router: str, nodes: set[str], create: bool) -> None:
        """Create or update a route to some nodes."""
        spec = specs.route(to=dict.fromkeys(sorted(nodes), 10))
        refers = {("virtualNode", "", node) for node in nodes}
        self._write("create" if create else "update", ("route", router, name), spec, refers)

    @rule(name=NAMES, gateway=NAMES, service=NAMES, create=st.booleans())
    def write_gateway_route(self, name: str, gateway: str, service: str, create: bool) -> None:
        """Create or update a gateway route to a service."""
        spec = specs.gateway_route(service)
        refers = {("virtualService", "", service)}
        self._write("create" if create else "update", ("gatewayRoute", gateway, name), spec, refers)

    @rule(kind=st.sampled_from(sorted(SNAKE)), parent=NAMES, name=NAMES)
    def delete(self, kind: str, parent: str, name: str) -> None:
        """Delete something, if it is there."""
        key = (kind, parent if kind in ("route", "gatewayRoute") else "", name)
        expected = self.model.delete(key)
        assert self._outcome("delete", key)[0] == expected

    @rule(target=tokens, name=st.sampled_from(["d", "e"]))
    def create_with_token(self, name: str) -> tuple[str, Any]:
        """Create, with a token, something that nothing else refers to."""
        token = f"token-{next(_numbers)}"
        expected = self.model.create(("virtualNode", "", name), set())
        code, answer = self._outcome("create", ("virtualNode", "", name), spec={}, clientToken=token)
        assert code == expected
        return (token, answer) if code is None else (token, None)

    @rule(used=consumes(tokens))
    def repeat(self, used: tuple[str, Any]) -> None:
        """Repeat a create that was successful and whose object lives: the first answer again."""
        token, answer = used
        if answer is None:
            return
        name = answer["virtualNodeName"]
        key = ("virtualNode", "", name)
        alive = self._outcome("describe", key)[1]
        same_life = alive is not None and alive["metadata"]["uid"] == answer["metadata"]["uid"]
        expected = None if same_life else self.model.create(key, set())
        code, again = self._outcome("create", key, spec={}, clientToken=token)
        assert code == expected
        if same_life:
            assert again == answer

    @invariant()
    def both_hold_the_same(self) -> None:
        """All lists show what the model has, with its versions, and so does each describe."""
        if not hasattr(self, "mesh"):
            return
        found: dict[Key, int] = {}
        for kind, places in self._collections().items():
            for parent, arguments in places:
                method = getattr(self.client, f"list_{SNAKE[kind]}s")
                for item in method(meshName=self.mesh.name, **arguments)[f"{kind}s"]:
                    found[kind, parent, item[f"{kind}Name"]] = item["version"]
        assert found == self.model.versions
        described = {key: self._outcome("describe", key)[1]["metadata"]["version"] for key in found}
        assert described == found

    def _collections(self) -> dict[str, list[tuple[str, dict[str, str]]]]:
        def inside(kind: str) -> list[tuple[str, dict[str, str]]]:
            return [(name, {f"{kind}Name": name}) for each, _, name in self.model.versions if each == kind]

        plain: list[tuple[str, dict[str, str]]] = [("", {})]
        top = dict.fromkeys(("virtualNode", "virtualService", "virtualRouter", "virtualGateway"), plain)
        return {**top, "route": inside("virtualRouter"), "gatewayRoute": inside("virtualGateway")}

    def _write(self, verb: str, key: Key, spec: dict[str, Any], refers: set[Key]) -> None:
        expected = getattr(self.model, verb)(key, refers)
        code, answer = self._outcome(verb, key, spec=spec)
        assert code == expected
        if answer is not None:
            assert answer["spec"] == spec
            assert answer["metadata"]["version"] == self.model.versions[key]

    def _outcome(self, verb: str, key: Key, **more: Any) -> tuple[str | None, Any]:
        kind, parent, name = key
        parents = {"route": {"router": parent}, "gatewayRoute": {"gateway": parent}}.get(kind, {})
        try:
            return None, getattr(self.mesh, verb)(kind, name, **more, **parents)
        except ClientError as error:
            return error.response["Error"]["Code"], None


@pytest.mark.timeout(300)
def test_the_api_and_the_model_agree(client):
    """Whatever is called in whatever order, both answer the same and hold the same."""
    machine = type("ApiUnderTest", (Api,), {"client": client})
    limits = settings(max_examples=20, stateful_step_count=30, suppress_health_check=list(HealthCheck), deadline=None)
    run_state_machine_as_test(machine, settings=limits)
