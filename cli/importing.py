"""Brings an App Mesh API to hold what was dumped: creates what is not there, updates what differs, adds tags. No more.

What is equal is left alone, so an import that broke off is simply run again. Nothing is deleted.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cli.account import Held, described
from resources.normal import pruned


@dataclass(frozen=True)
class Call:
    """A call that changes something."""

    operation: str
    object: Held
    request: Mapping[str, Any]

    def __str__(self) -> str:
        """As a line for people."""
        return f"{self.operation} {self.object}"


def call(wanted: Held, found: Held | None, arn: str = "") -> Iterator[Call]:
    """The calls that bring one object to what is wanted. Pure."""
    tags = [{"key": key, "value": value} for key, value in sorted(wanted.tags.items())]
    if found is None:
        request = wanted.identity | {"spec": wanted.spec} | ({"tags": tags} if tags else {})
        yield Call(f"Create{wanted.sort.operation}", wanted, request)
        return
    if pruned(found.spec) != pruned(wanted.spec):
        yield Call(f"Update{wanted.sort.operation}", wanted, wanted.identity | {"spec": wanted.spec})
    if new := [tag for tag in tags if found.tags.get(tag["key"]) != tag["value"]]:
        yield Call("TagResource", wanted, {"resourceArn": arn, "tags": new})


def due(api: Any, wanted: Held) -> Iterator[Call]:
    """The calls that one object takes as things are; reads.

    Raises:
        botocore.exceptions.ClientError: the API refuses to say.
    """
    try:
        found, arn = described(api, wanted.sort, wanted.path)
    except api.exceptions.NotFoundException:
        return call(wanted, None)
    return call(wanted, found, arn)


def make(api: Any, each: Call) -> None:
    """Make a call.

    Raises:
        botocore.exceptions.ClientError: the API refuses.
    """
    methods = {name: method for method, name in api.meta.method_to_api_mapping.items()}
    getattr(api, methods[each.operation])(**each.request)
