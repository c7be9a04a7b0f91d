"""What goes into the Cloud Map activities and what comes out. Pure, so that workflows may import it."""

from activities.messages import Message
from resources.cloud_map import CloudMapService, Instance


class FindNamespace(Message):
    """One page of `ListNamespaces`, looked through for a name."""

    name: str
    next_token: str | None = None


class NamespaceFound(Message):
    """`id` and `type` (HTTP, DNS_PRIVATE or DNS_PUBLIC) when the page had it; `next_token` when there are more."""

    id: str | None = None
    type: str | None = None
    next_token: str | None = None


class FindService(Message):
    """One page of `ListServices`, looked through for a name."""

    namespace_id: str
    name: str
    next_token: str | None = None


class ServicesFound(Message):
    """Ids of services of that name; an endpoint that ignores the filter answers with those of other namespaces too."""

    ids: tuple[str, ...] = ()
    next_token: str | None = None


class ServiceRecord(Message):
    """A Cloud Map service as the API answered it."""

    id: str
    namespace_id: str | None = None
    creator_request_id: str | None = None


class CreateService(Message):
    """A service to make; in a DNS namespace it has A records, as the controller before us made them."""

    service: CloudMapService
    namespace_id: str
    dns: bool
    creator_request_id: str


class ListInstances(Message):
    """One page of a service's instances."""

    service_id: str
    next_token: str | None = None


class InstancesPage(Message):
    """The page."""

    instances: tuple[Instance, ...]
    next_token: str | None = None


class InstanceChange(Message):
    """An instance to register, or to deregister (then without attributes)."""

    id: str
    attributes: dict[str, str] | None = None
    creator_request_id: str | None = None


class InstanceBatch(Message):
    """Changes of one sort, made one after the other."""

    service_id: str
    changes: tuple[InstanceChange, ...]


class InstanceRefused(Message):
    """An instance that Cloud Map would not take, and in whose words."""

    id: str
    message: str


class BatchDone(Message):
    """Every change of the batch was made but these."""

    refused: tuple[InstanceRefused, ...] = ()
