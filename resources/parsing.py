"""A Kubernetes object, as JSON, in; a model, or one error that names the field, out.

The API server has already refused what breaks the schema; an object stored before the schema was tightened, or handed
in by a test, meets the same bounds here. One rule only this room can judge: a namespaced name must fit App Mesh's 255
characters, and the schema cannot see the namespace.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from resources.errors import InvalidResource
from resources.kinds import Kind
from resources.mesh import Mesh
from resources.names import namespaced_name, provider_node_name, router_name, virtual_node_api_name
from resources.virtual_node import VirtualNode
from resources.virtual_service import VirtualService

LONGEST_API_NAME = 255

R = TypeVar("R", Mesh, VirtualNode, VirtualService)


def parse_mesh(obj: Mapping[str, Any]) -> Mesh:
    """The Mesh that a Kubernetes object describes.

    Raises:
        InvalidResource: The first field that is wrong.
    """
    return _parse(Mesh, obj)


def parse_virtual_node(obj: Mapping[str, Any]) -> VirtualNode:
    """The VirtualNode that a Kubernetes object describes.

    Raises:
        InvalidResource: The first field that is wrong.
    """
    node = _parse(VirtualNode, obj)
    _check_length(virtual_node_api_name(node), "metadata.name")
    return node


def parse_virtual_service(obj: Mapping[str, Any]) -> VirtualService:
    """The VirtualService that a Kubernetes object describes.

    Raises:
        InvalidResource: The first field that is wrong.
    """
    service = _parse(VirtualService, obj)
    named = service.spec.virtual_router is not None and service.spec.virtual_router.name.strip()
    node = provider_node_name(service)
    if node is not None:
        _check_length(node, "spec.provider.virtualNode.virtualNodeName")
        return service
    _check_length(router_name(service), "spec.virtualRouter.name" if named else "metadata.name")
    for number, route in enumerate(service.spec.routes):
        if route.takes_full_names:
            continue  # sent as they are, unless they name a VirtualNode, whose own length is checked
        kind = next(name for name in ("http", "tcp") if getattr(route, name) is not None)
        for place, target in enumerate(route.targets):
            _check_length(
                namespaced_name(target.virtual_node_name, service.metadata.namespace or ""),
                f"spec.routes[{number}].{kind}.action.weightedTargets[{place}].virtualNodeName",
            )
    return service


def problems(kind: Kind, obj: Mapping[str, Any]) -> tuple[InvalidResource, ...]:
    """Everything that is wrong with a Kubernetes object of a kind, for those who want to mend it in one go."""
    parse: Callable[[Mapping[str, Any]], object] = {
        Kind.MESH: parse_mesh,
        Kind.VIRTUAL_NODE: parse_virtual_node,
        Kind.VIRTUAL_SERVICE: parse_virtual_service,
    }[kind]
    try:
        parse(obj)
    except InvalidResource as first:
        if isinstance(first.__cause__, ValidationError):
            return tuple(map(_invalid, first.__cause__.errors(include_url=False, include_context=False)))
        return (first,)
    return ()


def _parse(model: type[R], obj: Mapping[str, Any]) -> R:
    try:
        return model.model_validate(obj)
    except ValidationError as invalid:
        raise _invalid(invalid.errors(include_url=False, include_context=False)[0]) from invalid


def _invalid(error: ErrorDetails) -> InvalidResource:
    return InvalidResource(_json_path(error["loc"]), _sentence(error["msg"], error["input"]))


def _check_length(api_name: str, field: str) -> None:
    if len(api_name) > LONGEST_API_NAME:
        raise InvalidResource(
            field, f"with its namespace the name has {len(api_name)} characters; App Mesh takes {LONGEST_API_NAME}"
        )


def _json_path(location: tuple[int | str, ...]) -> str:
    """`("spec", "routes", 0, "name")` as `spec.routes[0].name`."""
    path = ""
    for step in location:
        if isinstance(step, int):
            path += f"[{step}]"
        else:
            path += f".{step}" if path else step
    return path


def _sentence(message: str, value: object) -> str:
    """Pydantic's message in the words of JSON, with the value it is about where that is short enough to help."""
    message = message.replace("Tuple", "List").replace("Dictionary", "Object").replace(" after validation", "")
    if isinstance(value, str | int | float) and len(str(value)) <= 80:
        return f"{message}, got {value!r}"
    return message
