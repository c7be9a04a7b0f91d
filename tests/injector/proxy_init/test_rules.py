"""What is captured to what the kernel's tools read."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from injector.proxy_init import iptables, kernel, nftables
from injector.proxy_init.environment import ALWAYS_IGNORED_NETWORKS, Capture
from injector.proxy_init.families import Family
from tests.golden import Golden

NETWORKS = (*ALWAYS_IGNORED_NETWORKS, ip_network("10.0.0.0/8"), ip_network("10.1.0.0/16"))
CAPTURES = {
    "least": Capture(15000, 15001, user=1337),
    "most": Capture(16000, 16001, 1337, 1338, (80, 443), (22, 3306), NETWORKS, ipv6=True),
    "nothing": None,
}


@pytest.mark.parametrize("name", CAPTURES)
def test_what_nft_reads(golden: Golden, name: str):
    """A table in each family, replaced as a whole; a network within another is not said again."""
    text = nftables.script(CAPTURES[name], [Family.IPV4, Family.IPV6])
    golden.check(Path(__file__).parent / "golden" / f"{name}.nft", text)


@pytest.mark.parametrize("name", CAPTURES)
def test_what_iptables_restore_reads(golden: Golden, name: str):
    """Where nothing is set yet."""
    text = "".join(iptables.script(CAPTURES[name], family, "") for family in Family)
    golden.check(Path(__file__).parent / "golden" / f"{name}.iptables", text)


def test_jumps_that_are_there_are_not_doubled():
    """What `iptables-save` shows of an earlier run goes before the new comes."""
    saved = "*nat\n-A PREROUTING -p tcp -j MESHWRIGHT_INGRESS\n-A OUTPUT -p tcp -j OTHERS\nCOMMIT\n"
    script = iptables.script(CAPTURES["least"], Family.IPV4, saved)
    assert script.count("-D ") == 1
    assert "-D PREROUTING -p tcp -j MESHWRIGHT_INGRESS\n" in script


def test_a_kernel_without_tools_is_told():
    """By their names."""
    with pytest.raises(kernel.CaptureFailed, match="neither nft nor iptables-restore"):
        kernel.steps(None, find=lambda _program: None)


def test_what_a_tool_says_reaches_the_user():
    """With the program's name, whether it fails or is not there."""
    with pytest.raises(kernel.CaptureFailed, match=r"ls failed: .*no-such"):
        kernel.perform([kernel.Step(["ls", "/no-such"], "")])
    with pytest.raises(kernel.CaptureFailed, match="no-such cannot be found"):
        kernel.perform([kernel.Step(["/no-such"], "")])
