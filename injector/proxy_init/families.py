"""IPv4 and IPv6, as the tools of the kernel call them, and what of a capture belongs to each. Pure."""

from enum import Enum
from ipaddress import IPv4Network, IPv6Network, collapse_addresses

from injector.proxy_init.environment import Capture


class Family(Enum):
    """A version of the Internet Protocol; the value is what nftables calls it."""

    IPV4 = "ip"
    IPV6 = "ip6"

    def of(self, capture: Capture | None) -> Capture | None:
        """The capture, if it is for this family."""
        return capture if capture and (self is Family.IPV4 or capture.ipv6) else None

    def ignored(self, capture: Capture) -> list[str]:
        """The networks of this family that are not captured; none within another."""
        networks = capture.ignored_networks
        if self is Family.IPV4:
            return [
                str(each) for each in collapse_addresses(each for each in networks if isinstance(each, IPv4Network))
            ]
        return [str(each) for each in collapse_addresses(each for each in networks if isinstance(each, IPv6Network))]
