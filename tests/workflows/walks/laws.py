"""What has to hold in a walk: for callers at any time, and for everybody at the end."""

from collections import defaultdict
from typing import Any

from activities.objects import ApiKind, ApiObject
from resources.conditions import active_condition
from resources.kinds import Kind
from resources.names import provider_node_name
from resources.normal import same_spec
from resources.parsing import parse_virtual_service
from resources.translate.virtual_service import route_spec, virtual_service_spec
from tests.builders import Manifest
from tests.workflows.app_mesh_activities import AppMeshActivities
from tests.workflows.walks.cluster import Cluster
from tests.workflows.walks.world import World

Routes = dict[str, Any]


class Callers:
    """Which routings callers of each service may meet: any complete version of it that was ever asked for."""

    def __init__(self) -> None:
        self._versions: defaultdict[ApiObject, list[Routes]] = defaultdict(list)
        self._lenient: set[str] = set()

    def may_meet(self, manifest: Manifest) -> None:
        """A version was applied."""
        service = parse_virtual_service({**manifest, "metadata": {**manifest["metadata"], "uid": "any"}})
        name, namespace = service.metadata.name, service.metadata.namespace or ""
        object = ApiObject(kind=ApiKind.VIRTUAL_SERVICE, mesh=service.spec.mesh_name, name=name)
        node = provider_node_name(service)
        if manifest["metadata"].get("annotations", {}).get("meshwright.dev/routing-update") == "in-place":
            self._lenient.add(name)
        if node is not None:
            self._versions[object].append({"": virtual_service_spec(None, node)})
        else:
            routes = {route.name: route_spec(route, namespace, frozenset()) for route in service.spec.routes}
            self._versions[object].append(routes)

    def check(self, world: World) -> None:
        """Callers meet one of the versions in full, and no route of another one.

        A service that asks for changes in place accepts a gap, and is met by any; so is one whose resource is gone.
        """
        services = {name for kind, _, name in world.cluster.resources if kind is Kind.VIRTUAL_SERVICE}
        for object, versions in self._versions.items():
            met = world.app_mesh.routing_of(object)
            if met is None or object.name in self._lenient or object.name not in services:
                continue
            mine = {name for name in met if name.startswith(f"{object.name}-")}
            fits = [
                version
                for version in versions
                if mine <= version.keys()
                and all(name in met and same_spec(spec, met[name]) for name, spec in version.items())
            ]
            assert fits, f"callers of {object} meet {sorted(met)}"


def standing(cluster: Cluster) -> dict[str, str]:
    """How each resource stands: the reason of its main condition, or that it has not caught up."""
    found = {}
    for (kind, _, name), resource in cluster.resources.items():
        status, wanted = resource.get("status", {}), active_condition(kind)
        reason = next((each["reason"] for each in status.get("conditions", ()) if each["type"] == wanted), "none")
        caught_up = status.get("observedGeneration") == resource["metadata"]["generation"]
        leaves = " (leaving)" if "deletionTimestamp" in resource["metadata"] else ""
        found[f"{kind} {name}"] = f"{reason}{'' if caught_up else ' of an old generation'}{leaves}"
    return found


def check_end(world: World, fresh: World, more: bool = False) -> None:
    """All stands as where the same resources were applied for the first time, and so does App Mesh.

    Args:
        world: where much has happened.
        fresh: where nothing else has.
        more: App Mesh may hold something besides.
    """
    stands, expected = standing(world.cluster), standing(fresh.cluster)
    assert stands == expected, f"stand otherwise than if applied afresh ({expected}): {stands}"
    if set(expected.values()) != {"Active"}:
        return  # one whose routes clash with another's stays on what it had
    there, wanted = _held(world.app_mesh), _held(fresh.app_mesh)
    missing, left = sorted(wanted.keys() - there.keys()), sorted(there.keys() - wanted.keys())
    assert not missing, f"missing: {missing}"
    assert more or not left, f"left behind: {left}"
    for key, spec in wanted.items():
        assert same_spec(spec, there[key]), f"{key} is {there[key]} and not {spec}"


def check_nothing_left(world: World) -> None:
    """Nobody is there any more, and nothing was left behind."""
    left = standing(world.cluster)
    assert not left, f"does not go: {left}"
    assert not world.app_mesh.objects, f"left behind: {sorted(map(str, world.app_mesh.objects))}"
    assert not world.workflows, f"still run: {sorted(map(str, world.workflows))}"


def _held(app_mesh: AppMeshActivities) -> dict[tuple[str, ...], Any]:
    """What App Mesh holds; a router and its routes under the names of the services that point at it, or its own."""
    users: defaultdict[ApiObject, list[str]] = defaultdict(list)
    for object, record in app_mesh.objects.items():
        name = record.spec.get("provider", {}).get("virtualRouter", {}).get("virtualRouterName")
        if object.kind is ApiKind.VIRTUAL_SERVICE and name:
            users[ApiObject(kind=ApiKind.VIRTUAL_ROUTER, mesh=object.mesh, name=name)].append(object.name)
    found: dict[tuple[str, ...], Any] = {}
    for object, record in app_mesh.objects.items():
        router = object if object.kind is ApiKind.VIRTUAL_ROUTER else object.on_router
        if router is None:
            spec = {} if users and "virtualRouter" in record.spec.get("provider", {}) else record.spec
            found[object.kind, object.mesh, object.name] = spec
        else:
            of = "+".join(sorted(users.get(router, [f"unused {router.name}"])))
            found[object.kind, object.mesh, of, object.name if object.on_router else ""] = record.spec
    return found
