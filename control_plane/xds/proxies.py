"""Who a proxy says it is: the node id in its requests, in either of App Mesh's forms.

`mesh/M/virtualNode/N` and `arn:aws:appmesh:REGION:ACCOUNT:mesh/M/virtualNode/N`, both for `virtualGateway` too. The
agent of App Mesh sends what its APPMESH_RESOURCE_ARN says.
"""

import re
from dataclasses import dataclass

from control_plane.store.records import ObjectKey

_SHOWN_CHARACTERS = 200
_NODE_ID = re.compile(
    r"(?:arn:aws[\w-]*:appmesh:(?P<region>[\w-]+):(?P<account>\d{12}):)?"
    r"mesh/(?P<mesh>[^/\s]{1,255})/(?P<kind>virtualNode|virtualGateway)/(?P<name>[^/\s]{1,255})"
)


class MalformedNodeId(ValueError):
    """A node id of neither form; the message shows it."""


@dataclass(frozen=True, slots=True)
class ProxyId:
    """What a proxy stands for: a virtual node or a virtual gateway of a mesh."""

    mesh: str
    kind: str  # virtualNode or virtualGateway
    name: str

    @property
    def key(self) -> ObjectKey:
        """The object it stands for."""
        return ObjectKey(self.kind, self.mesh, "", self.name)

    def __str__(self) -> str:
        return f"mesh/{self.mesh}/{self.kind}/{self.name}"


def parse(node_id: str, account: str) -> ProxyId:
    """The proxy of a node id; `account` is ours.

    Raises:
        MalformedNodeId: it has neither form, or is the ARN of another account.
    """
    found = _NODE_ID.fullmatch(node_id)
    if found is None:
        raise MalformedNodeId(
            f"node id {node_id[:_SHOWN_CHARACTERS]!r}: expected mesh/MESH/virtualNode/NODE, or its ARN"
        )
    if found["account"] not in (None, account):
        raise MalformedNodeId(
            f"node id {node_id[:_SHOWN_CHARACTERS]!r} is of account {found['account']}, not of {account}"
        )
    return ProxyId(found["mesh"], found["kind"], found["name"])
