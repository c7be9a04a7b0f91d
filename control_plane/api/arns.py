"""ARNs: an object's full name, built from its key and read back.

`arn:aws:appmesh:REGION:ACCOUNT:mesh/M[/virtualNode/N | /virtualService/S | /virtualRouter/R[/route/X] |
/virtualGateway/G[/gatewayRoute/X]]`. A virtual service's name is free text and comes last, so it may contain anything.
"""

from dataclasses import dataclass

from control_plane.api.errors import BadRequest, NotFound
from control_plane.api.semantics import KINDS
from control_plane.store.records import ObjectKey

_SHOWN_CHARACTERS = 200


@dataclass(frozen=True)
class ArnFormat:
    """The ARNs of one account in one region."""

    region: str
    account_id: str

    def of(self, key: ObjectKey) -> str:
        """The ARN of an object."""
        path = f"mesh/{key.mesh_name}"
        if key.parent:
            path += f"/{KINDS[key.kind].parent}/{key.parent}"
        if key.mesh:
            path += f"/{key.kind}/{key.name}"
        return f"{self._account}:{path}"

    def parse(self, arn: str) -> ObjectKey:
        """The key in an ARN of ours.

        Raises:
            BadRequest: this is no ARN of an App Mesh object.
            NotFound: it is one of another account or region.
        """
        account, separator, path = arn.partition(":mesh/")
        key = _key(path) if separator and account.startswith("arn:aws") and account.count(":") == 4 else None
        if key is None:
            raise BadRequest(f"resourceArn: {arn[:_SHOWN_CHARACTERS]} is not the ARN of an App Mesh object")
        if account != self._account:
            raise NotFound(f"{arn[:_SHOWN_CHARACTERS]} is not here; ARNs here begin with {self._account}")
        return key

    @property
    def _account(self) -> str:
        return f"arn:aws:appmesh:{self.region}:{self.account_id}"


def _key(path: str) -> ObjectKey | None:
    mesh, _, inside = path.partition("/")
    if not inside:
        return ObjectKey("mesh", "", "", mesh) if mesh else None
    kind, _, name = inside.partition("/")
    if kind == "virtualService":
        return ObjectKey(kind, mesh, "", name)
    match name.split("/"):
        case [leaf] if kind in KINDS and KINDS[kind].parent == "mesh":
            return ObjectKey(kind, mesh, "", leaf)
        case [parent, child, leaf] if child in KINDS and KINDS[child].parent == kind != "mesh":
            return ObjectKey(child, mesh, parent, leaf)
    return None
