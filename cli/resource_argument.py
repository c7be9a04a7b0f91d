"""The argument `KIND/NAME` of commands about one resource."""

from typing import TYPE_CHECKING, Annotated

import typer

from resources.kinds import Kind

if TYPE_CHECKING:
    from watcher.index import Name

_ARGUMENT = typer.Argument(
    metavar="KIND/NAME", help="The resource: mesh/shop, virtualnode/cart, virtualservice/cart ...", show_default=False
)
Resource = Annotated[str, _ARGUMENT]
OptionalResource = Annotated[str | None, _ARGUMENT]
Namespace = Annotated[
    str, typer.Option("--namespace", "-n", help="The resource's namespace (a mesh has none).", show_default=True)
]


def named(text: str, namespace: str) -> "Name":
    """The resource that the argument and the option name; kinds as kubectl takes them, in any case.

    Raises:
        BadParameter: there is no such kind, or no name.
    """
    from resources.crd import SHORT_NAMES
    from watcher.index import Name

    said, _, name = text.partition("/")
    kind = next((kind for kind in Kind if said.lower() in (kind.slug, kind.plural, *SHORT_NAMES.get(kind, ()))), None)
    if kind is None or not name:
        kinds = ", ".join(kind.slug for kind in Kind)
        raise typer.BadParameter(f"{text!r}: KIND/NAME is expected, KIND being one of {kinds}", param_hint="KIND/NAME")
    return Name(kind, namespace if kind.namespaced else None, name)


def path(name: "Name") -> str:
    """As `status` writes it: `virtualnode/shop/cart`, `mesh/shop`."""
    return "/".join(part for part in (name.kind.slug, name.namespace, name.name) if part)
