"""How many of what there may be. The defaults are App Mesh's; a file may set others."""

from collections.abc import Mapping
from dataclasses import dataclass, fields


class UnusableQuotas(ValueError):
    """A quota has an unknown name or is not a number."""


@dataclass(frozen=True)
class Quotas:
    """One limit each; exceeding one is LimitExceededException."""

    meshes: int = 15
    virtual_nodes_per_mesh: int = 200
    virtual_routers_per_mesh: int = 200
    virtual_services_per_mesh: int = 200
    virtual_gateways_per_mesh: int = 3
    routes_per_virtual_router: int = 50
    gateway_routes_per_virtual_gateway: int = 10
    backends_per_virtual_node: int = 50
    tags_per_resource: int = 50

    @classmethod
    def from_mapping(cls, values: Mapping[str, object]) -> "Quotas":
        """The defaults, with those of `values` instead.

        Raises:
            UnusableQuotas: a name is unknown, or a value is not a whole number of zero or more.
        """
        known = [field.name for field in fields(cls)]
        limits: dict[str, int] = {}
        for name, value in values.items():
            if name not in known:
                raise UnusableQuotas(f"unknown quota {name!r}; there is {', '.join(known)}")
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                raise UnusableQuotas(f"quota {name}: expected a whole number, got {value!r}")
            limits[name] = value
        return cls(**limits)
