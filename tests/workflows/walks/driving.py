"""Running activities of the models by name, without a worker: from a command's payload to a result or failure."""

from collections.abc import Callable, Coroutine, Iterable
from typing import Any, get_type_hints

from temporalio import activity
from temporalio.api.common.v1 import Payload
from temporalio.exceptions import ApplicationError

from tests.workflows.walks.execution import CONVERTER


class Activities:
    """By the names under which workflows call them."""

    def __init__(self, definitions: Iterable[Callable[..., Any]]) -> None:
        self._functions: dict[str, tuple[Callable[..., Any], type]] = {}
        for function in definitions:
            definition = activity._Definition.must_from_callable(function)
            hints = get_type_hints(function)
            [argument] = [hint for name, hint in hints.items() if name != "return"]
            self._functions[definition.name or ""] = function, argument

    def __contains__(self, name: str) -> bool:
        return name in self._functions

    def argument(self, name: str, payload: Payload) -> Any:
        """What the workflow wants of an activity."""
        return CONVERTER.from_payload(payload, self._functions[name][1])

    def run(self, name: str, argument: Any) -> Any:
        """The result of an activity, or the failure that it ends with."""
        try:
            return at_once(self._functions[name][0](argument))
        except ApplicationError as failure:
            return failure


def at_once(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError(f"{coroutine} waits for something")
