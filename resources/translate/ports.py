"""PortMapping, the same in nodes and routers."""

from typing import Any

from resources.ports import PortMapping


def port_mapping(mapping: PortMapping) -> dict[str, Any]:
    """A port with its protocol, in App Mesh's shape."""
    return {"port": mapping.port, "protocol": mapping.protocol.value}
