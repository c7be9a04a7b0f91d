"""The rules as an nftables script: one table of ours in each family, replaced as a whole in one transaction. Pure.

A table for each family rather than one of family `inet`, whose NAT younger kernels only have (5.2).
"""

from collections.abc import Iterable, Iterator

from injector.proxy_init.environment import Capture
from injector.proxy_init.families import Family

TABLE = "meshwright"


def script(capture: Capture | None, families: Iterable[Family]) -> str:
    """What `nft -f -` reads; with no capture it takes all rules of ours away."""
    return "".join(f"{line}\n" for family in families for line in _family(capture, family))


def _family(capture: Capture | None, family: Family) -> Iterator[str]:
    table = f"table {family.value} {TABLE}"
    # To delete what is not there is an error, to declare what is there is none.
    yield table
    yield f"delete {table}"
    if (captured := family.of(capture)) is not None:
        yield f"{table} {{"
        yield from _ingress(captured)
        yield from _egress(captured, family)
        yield "}"


def _ingress(capture: Capture) -> Iterator[str]:
    if not capture.application_ports:
        return
    yield "  chain ingress {"
    yield "    type nat hook prerouting priority -100; policy accept;"
    yield f'    iifname != "lo" tcp dport {_set(capture.application_ports)} redirect to :{capture.ingress_port}'
    yield "  }"


def _egress(capture: Capture, family: Family) -> Iterator[str]:
    yield "  chain egress {"
    yield "    type nat hook output priority -100; policy accept;"
    yield '    oifname "lo" return'  # to an address of the pod's own, 127.0.0.1 or another
    if capture.user is not None:
        yield f"    meta skuid {capture.user} return"
    if capture.group is not None:
        yield f"    meta skgid {capture.group} return"
    yield f"    tcp dport {_set(capture.ignored_ports)} return"
    yield f"    {family.value} daddr {_set(family.ignored(capture))} return"
    yield f"    meta l4proto tcp redirect to :{capture.egress_port}"
    yield "  }"


def _set(elements: Iterable[object]) -> str:
    return f"{{ {', '.join(map(str, elements))} }}"
