"""Conditions: how a resource tells its user where it stands.

Every reason that can ever be shown is a member of `Reason`, with the sentence that the reference documentation prints
for it. Times come in as strings: this room has no clock.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import Field

from resources.base import Model
from resources.fields import Generation, Timestamp
from resources.kinds import Kind


class ConditionType(StrEnum):
    """What a condition is about. The names are those live clusters already carry."""

    MESH_ACTIVE = "MeshActive"
    VIRTUAL_NODE_ACTIVE = "VirtualNodeActive"
    VIRTUAL_SERVICE_ACTIVE = "VirtualServiceActive"
    VIRTUAL_ROUTER_ACTIVE = "VirtualRouterActive"
    ROUTES_ACTIVE = "RoutesActive"
    MESH_MARKED_FOR_DELETION = "MeshMarkedForDeletion"
    ADOPTED = "Adopted"
    CLOUD_MAP_SERVICE_READY = "CloudMapServiceReady"
    DNS_RESOLVABLE = "DNSResolvable"
    DATA_PLANE_ACCEPTED = "DataPlaneAccepted"
    DATA_PLANE_SYNCED = "DataPlaneSynced"


class Reason(StrEnum):
    """Why a condition has its status; `explanation` says when users see it."""

    explanation: str

    def __new__(cls, value: str, explanation: str = "") -> Self:
        """A reason is its CamelCase word; the explanation travels with it."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.explanation = explanation
        return member

    ACTIVE = "Active", "App Mesh holds exactly what the spec asks for."
    PENDING = "Pending", "The resource was seen and work on it has begun."
    DELETING = "Deleting", "Deletion was asked for and the App Mesh side is being removed."
    WAITING_FOR_MESH = (
        "WaitingForMesh",
        "The Mesh named by spec.meshName does not exist or is not active yet; work goes on when it is.",
    )
    WAITING_FOR_NODES = (
        "WaitingForVirtualNodes",
        "A VirtualNode that a route targets does not exist or is not active yet; the message names it.",
    )
    WAITING_FOR_REFERENCE = (
        "WaitingForReference",
        "App Mesh did not find something that this resource refers to; the message is App Mesh's.",
    )
    WAITING_FOR_DELETION = (
        "WaitingForUsers",
        "Deletion waits because App Mesh says that another object still uses this one; the message names the user.",
    )
    WAITING_FOR_MEMBERS = (
        "WaitingForMembers",
        "The Mesh is being deleted and waits until its virtual nodes and virtual services are gone.",
    )
    WAITING_FOR_SERVICES = (
        "WaitingForVirtualServices",
        "The VirtualNode is being deleted with its mesh, and waits until the virtual services that target it are gone.",
    )
    MESH_DELETED = (
        "MeshMarkedForDeletion",
        "The Mesh of this resource is being deleted, and so the resource is deleted with it.",
    )
    WAITING_FOR_ROUTER = (
        "WaitingForSharedRouter",
        "The router is shared, and the service that sees to it has not taken up this one's routes yet.",
    )
    ROUTE_CONFLICT = (
        "RouteConflict",
        "A service that shares the router, and is older, defines a route or the listeners differently; the message "
        "names it. The routes of this one stay as they were.",
    )
    NO_LISTENER = (
        "NoListener",
        "No listener is given for the virtual router, and none can be taken from the first target of the first route.",
    )
    NAME_CONFLICT = (
        "NameConflict",
        "An older resource, of this cluster or of another, already owns the App Mesh object of this name; the message"
        " names it. A mesh of another cluster can be used, but only as it is: then the message tells what differs.",
    )
    ADOPTED = (
        "Adopted",
        "App Mesh held objects of this resource before it was applied; the message names them. They are kept up to"
        " date, and stay when the resource is deleted, unless meshwright.dev/deletion-policy is Delete.",
    )
    MADE_HERE = (
        "MadeHere",
        "Objects that were once adopted have been replaced by ones that this cluster created.",
    )
    RESOLVED = "Resolved", "The node's host name resolves where Meshwright runs."
    NOT_RESOLVED = (
        "NotResolved",
        "The node's host name does not resolve where Meshwright runs; the message says why. A warning that stops"
        " nothing; looked up again every ten minutes until it does.",
    )
    RETAINED = (
        "Retained",
        "The resource was deleted and what the message names stays in App Mesh; shown by an Event.",
    )
    INVALID_SPEC = (
        "InvalidSpec",
        "The spec can never be translated as it stands; the message names the field. Nothing was sent to App Mesh.",
    )
    BAD_REQUEST = (
        "BadRequest",
        "App Mesh refused the request; the message is App Mesh's. Tried again on every change, and now and then.",
    )
    FORBIDDEN = (
        "Forbidden",
        "App Mesh did not allow the request: the credentials lack a permission. Tried again now and then.",
    )
    LIMIT_EXCEEDED = (
        "LimitExceeded",
        "An App Mesh quota is used up; the message says which. Tried again now and then.",
    )
    APP_MESH_UNAVAILABLE = (
        "AppMeshUnavailable",
        "App Mesh cannot be reached or has an internal fault; tried again, ever more slowly, until it answers.",
    )
    CLOUD_MAP_SERVICE_FOUND = (
        "CloudMapServiceFound",
        "The Cloud Map service exists, and the node's pods are registered in it as they become ready. The message names"
        " other namespaces whose pods name the node and are not registered, as it does not let them in.",
    )
    CLOUD_MAP_REGISTERING = (
        "CloudMapRegistering",
        "The Cloud Map service exists, and the many pods that the node has already are being registered in it.",
    )
    CLOUD_MAP_NAMESPACE_NOT_FOUND = (
        "CloudMapNamespaceNotFound",
        "There is no Cloud Map namespace of the name in spec.serviceDiscovery.cloudMap; looked for again every minute.",
    )
    CLOUD_MAP_NAMESPACE_PUBLIC = (
        "CloudMapNamespacePublic",
        "The Cloud Map namespace is a public DNS namespace, in which pod addresses have no place.",
    )
    CLOUD_MAP_INSTANCES_REFUSED = (
        "CloudMapInstancesRefused",
        "Cloud Map would not register some of the node's pods; the message names them. Tried again every sweep.",
    )
    CLOUD_MAP_REFUSED = (
        "CloudMapRefused",
        "Cloud Map refused a request; the message is Cloud Map's. Tried again on every change, and now and then.",
    )
    CLOUD_MAP_UNAVAILABLE = (
        "CloudMapUnavailable",
        "Cloud Map cannot be reached or asks for fewer requests; tried again, ever more slowly, until it answers.",
    )
    ACCEPTED = "Accepted", "No connected proxy of the mesh refuses anything that comes of this resource."
    SYNCED = (
        "Synced",
        "Every proxy that was connected has what was last written for this resource: traffic follows it. Proxies that"
        " connect later get it as they come, and do not turn this.",
    )
    PUSHING = (
        "Pushing",
        "App Mesh has the resource as it is asked for, and not every connected proxy of the mesh has followed yet.",
    )
    REFUSED_BY_PROXY = (
        "RefusedByProxy",
        "A connected proxy refuses what comes of this resource (a NACK) and keeps what it had; the message is Envoy's,"
        " with the proxy and the Envoy resource.",
    )
    NOT_FOR_PROXIES = (
        "NotForProxies",
        "Something in the spec cannot be told to Envoy and is left out for the proxies; the message names the field.",
    )
    HELD_BACK = (
        "HeldBack",
        "A connected proxy does not get this yet, as it needs something of another resource that the proxy refuses.",
    )
    THROTTLED = (
        "Throttled",
        "App Mesh asked for fewer requests; tried again, ever more slowly, until it answers.",
    )
    DRIFTED = (
        "Drifted",
        "Only on Events: somebody else changed, deleted or added App Mesh objects; the message says what differed.",
    )


class Condition(Model):
    """One observation about a resource, in the shape Kubernetes tools expect."""

    type: Annotated[str, Field(min_length=1, max_length=316)]
    """What the condition is about, such as MeshActive."""
    status: Literal["True", "False", "Unknown"]
    """True, False or Unknown."""
    reason: Annotated[str, Field(max_length=1024)] | None = None
    """One CamelCase word for why the status is what it is."""
    message: Annotated[str, Field(max_length=32768)] | None = None
    """The same in a sentence, with names."""
    last_transition_time: Timestamp | None = None
    """When the status last changed (RFC 3339)."""
    observed_generation: Generation | None = None
    """The metadata.generation that this observation is about."""


def active_condition(kind: Kind) -> ConditionType:
    """The condition that says whether a resource of this kind is what its spec asks for."""
    return {
        Kind.MESH: ConditionType.MESH_ACTIVE,
        Kind.VIRTUAL_NODE: ConditionType.VIRTUAL_NODE_ACTIVE,
        Kind.VIRTUAL_SERVICE: ConditionType.VIRTUAL_SERVICE_ACTIVE,
    }[kind]


def merge_conditions(old: Sequence[Condition], new: Sequence[Condition], now: str) -> tuple[Condition, ...]:
    """The conditions to store: `new` over `old`.

    A condition keeps its lastTransitionTime as long as its status does not change, and its place in the list; types
    that `new` does not mention stay as they are.
    """
    merged = {condition.type: condition for condition in old}
    for condition in new:
        before = merged.get(condition.type)
        kept = before.last_transition_time if before and before.status == condition.status else None
        merged[condition.type] = condition.model_copy(update={"last_transition_time": kept or now})
    return tuple(merged.values())


def condition_of(conditions: Sequence[Condition], type: ConditionType) -> Condition | None:
    """The condition of a type."""
    return next((each for each in conditions if each.type == type), None)


def condition_is_true(obj: Mapping[str, Any], type: ConditionType) -> bool:
    """Whether a Kubernetes object, as JSON, carries this condition with status True.

    A Mesh keeps its conditions under `status.meshCondition`; `status.conditions` mirrors them.
    """
    for condition in _conditions(obj):
        if condition.get("type") == type.value:
            return bool(condition.get("status") == "True")
    return False


def _conditions(obj: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    status = obj.get("status") or {}
    yield from status.get("meshCondition") or ()
    yield from status.get("conditions") or ()
