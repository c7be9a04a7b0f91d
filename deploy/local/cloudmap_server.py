"""Moto's server, kept to Cloud Map's rules where moto is laxer and a controller would notice.

Moto keeps a second instance when one is registered again, makes a second service of the same name, and deletes a
service that has instances. Cloud Map replaces the instance, and refuses the other two.
"""

from collections.abc import Callable
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.server import main
from moto.servicediscovery.models import ServiceDiscoveryBackend

Method = Callable[..., Any]


def keep_to_the_rules() -> None:
    """Put the rules over moto's methods."""
    backend: Any = ServiceDiscoveryBackend
    backend.register_instance = _registering(backend.register_instance)
    backend.create_service = _creating(backend.create_service)
    backend.delete_service = _deleting(backend.delete_service)


def _registering(original: Method) -> Method:
    def register_instance(self: Any, service_id: str, instance_id: str, *rest: Any, **more: Any) -> Any:
        service = self.get_service(service_id)
        before = [instance for instance in service.instances if instance.instance_id == instance_id]
        operation = original(self, service_id, instance_id, *rest, **more)
        for instance in before:  # in place: other threads append to the same list
            service.instances.remove(instance)
        return operation

    return register_instance


def _creating(original: Method) -> Method:
    def create_service(self: Any, name: str, namespace_id: str, creator_request_id: str, **more: Any) -> Any:
        for service in list(self.services.values()):
            if (service.name, service.namespace_id) == (name, namespace_id):
                if service.creator_request_id == creator_request_id:
                    return service
                raise JsonRESTError("ServiceAlreadyExists", f"Service {name} already exists: {service.id}")
        return original(self, name=name, namespace_id=namespace_id, creator_request_id=creator_request_id, **more)

    return create_service


def _deleting(original: Method) -> Method:
    def delete_service(self: Any, service_id: str) -> None:
        if self.get_service(service_id).instances:
            raise JsonRESTError("ResourceInUse", f"Service {service_id} contains registered instances")
        original(self, service_id)

    return delete_service


if __name__ == "__main__":
    keep_to_the_rules()
    main()
