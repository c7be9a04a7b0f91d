"""The same rules as `nftables`, for `iptables-restore`: two chains of ours in each family. Pure."""

from collections.abc import Iterator

from injector.proxy_init.environment import Capture
from injector.proxy_init.families import Family

_INGRESS = "MESHWRIGHT_INGRESS"
_EGRESS = "MESHWRIGHT_EGRESS"
_JUMPS = (f"PREROUTING -p tcp -j {_INGRESS}", f"OUTPUT -p tcp -j {_EGRESS}")


def script(capture: Capture | None, family: Family, saved: str) -> str:
    """What `iptables-restore --noflush` reads; with no capture it takes all rules of ours away.

    Args:
        capture: What is captured.
        family: Whose tool reads it.
        saved: What `iptables-save -t nat` said: to take away what is not there would be an error.
    """
    captured = family.of(capture)
    there = saved.splitlines()
    # Declaring a chain makes it, or empties it.
    lines = ["*nat", f":{_INGRESS} - [0:0]", f":{_EGRESS} - [0:0]"]
    lines += [f"-D {jump}" for jump in _JUMPS if f"-A {jump}" in there]
    if captured is None:
        lines += [f"-X {_INGRESS}", f"-X {_EGRESS}"]
    else:
        lines += [f"-A {rule}" for rule in (*_ingress(captured), *_egress(captured, family), *_JUMPS)]
    return "".join(f"{line}\n" for line in [*lines, "COMMIT"])


def _ingress(capture: Capture) -> Iterator[str]:
    yield f"{_INGRESS} -i lo -j RETURN"
    for port in capture.application_ports:
        yield f"{_INGRESS} -p tcp --dport {port} -j REDIRECT --to-ports {capture.ingress_port}"


def _egress(capture: Capture, family: Family) -> Iterator[str]:
    yield f"{_EGRESS} -o lo -j RETURN"
    if capture.user is not None:
        yield f"{_EGRESS} -m owner --uid-owner {capture.user} -j RETURN"
    if capture.group is not None:
        yield f"{_EGRESS} -m owner --gid-owner {capture.group} -j RETURN"
    for port in capture.ignored_ports:
        yield f"{_EGRESS} -p tcp --dport {port} -j RETURN"
    for network in family.ignored(capture):
        yield f"{_EGRESS} -d {network} -j RETURN"
    yield f"{_EGRESS} -p tcp -j REDIRECT --to-ports {capture.egress_port}"
