"""The names under which activities are registered; workflows know activities by these alone.

An App Mesh call is registered under the operation's own name (`CreateRoute`); the others are named here.
"""

from enum import StrEnum

from activities.objects import ApiKind


class Verb(StrEnum):
    """What is done to an object."""

    CREATE = "Create"
    UPDATE = "Update"
    DELETE = "Delete"
    DESCRIBE = "Describe"


def operation(verb: Verb, kind: ApiKind) -> str:
    """The App Mesh operation, and so the activity's name: `CreateVirtualRouter`."""
    return f"{verb}{kind}"


WRITES = tuple(operation(verb, kind) for verb in (Verb.CREATE, Verb.UPDATE, Verb.DELETE) for kind in ApiKind)
DESCRIBES = tuple(operation(Verb.DESCRIBE, kind) for kind in ApiKind)
LIST_ROUTES = "ListRoutes"
LIST_TAGS = "ListTagsForResource"

READ_REFERENCES = "ReadReferences"
READ_RELATIVES = "ReadRelatives"
LIST_MEMBERS = "ListMeshMembers"
LIST_USERS = "ListNodeUsers"
ADD_FINALIZER = "AddFinalizer"
REMOVE_FINALIZER = "RemoveFinalizer"
WRITE_STATUS = "WriteStatus"
RECORD_EVENT = "RecordEvent"
DELETE_RESOURCE = "DeleteResource"

RESOLVE_HOST = "ResolveHost"

# Cloud Map: one call each, but for the batches of instances.
LIST_NAMESPACES = "ListNamespaces"
LIST_SERVICES = "ListServices"
GET_SERVICE = "GetService"
CREATE_SERVICE = "CreateService"
DELETE_SERVICE = "DeleteService"
LIST_INSTANCES = "ListInstances"
REGISTER_INSTANCES = "RegisterInstances"
DEREGISTER_INSTANCES = "DeregisterInstances"

TELL_PROGRESS = (REGISTER_INSTANCES, DEREGISTER_INSTANCES)
"""Their heartbeats say how far they are."""
