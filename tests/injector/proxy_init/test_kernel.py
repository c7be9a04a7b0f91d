"""The rules in real kernels' hands: network namespaces of the test's own."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from injector.proxy_init import iptables, nftables
from injector.proxy_init.environment import ALWAYS_IGNORED_NETWORKS, Capture
from injector.proxy_init.families import Family
from tests.namespaces import Namespace, namespace, need_namespaces, path_with

pytestmark = pytest.mark.e2e

SETTINGS = {
    "APPMESH_START_ENABLED": "1",
    "APPMESH_IGNORE_UID": "1337",
    "APPMESH_APP_PORTS": "80",
    "APPMESH_ENABLE_IPV6": "1",
}
PROGRAM = (str(Path(sys.executable).parent / "meshwright"), "proxy-init")
OTHER = SETTINGS | {"APPMESH_APP_PORTS": "81", "APPMESH_ENABLE_IPV6": "0"}


@pytest.fixture
def pod() -> Iterator[Namespace]:
    """A namespace without rules."""
    need_namespaces()
    with namespace() as made:
        yield made


@pytest.fixture(params=["nft", "iptables"])
def tools(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A PATH on which only one of the two is."""
    return path_with(request.param, tmp_path / "tools")


def run(pod: Namespace, tools: str, variables: dict[str, str], *arguments: str) -> str:
    """Run the command inside."""
    return pod.run(*PROGRAM, *arguments, environment={"PATH": tools, **variables})


def rules(pod: Namespace, tools: str) -> str:
    """All that is set, as the tool tells it, without what is only a remark."""
    if (Path(tools) / "nft").exists():
        return pod.run("nft", "list", "ruleset")
    lines = [*pod.run("iptables-save", "-t", "nat").splitlines(), *pod.run("ip6tables-save", "-t", "nat").splitlines()]
    return "\n".join(line for line in lines if not line.startswith("#") and "ACCEPT" not in line)


def test_twice_is_once_another_is_another_and_undone_is_nothing(pod: Namespace, tools: str):
    """Whatever was set before, what is set is what the environment says last."""
    assert "what comes in to 80 goes to 15000" in run(pod, tools, SETTINGS)
    once = rules(pod, tools)
    run(pod, tools, SETTINGS)
    assert rules(pod, tools) == once
    assert "1337" in once
    run(pod, tools, OTHER)
    assert "81" in rules(pod, tools)
    run(pod, tools, SETTINGS)
    assert rules(pod, tools) == once
    assert run(pod, tools, {}, "--undo") == "nothing is captured\n"
    assert "1337" not in rules(pod, tools)
    run(pod, tools, {}, "--undo")
    assert "MESHWRIGHT" not in rules(pod, tools).upper()


def test_a_dry_run_sets_nothing_and_prints_what_would_be(pod: Namespace, tools: str):
    """What it prints is what the tool takes."""
    printed = run(pod, tools, SETTINGS, "--dry-run")
    assert "1337" not in rules(pod, tools)
    if (Path(tools) / "nft").exists():
        pod.run("nft", "-f", "-", script=printed)
        assert "1337" in rules(pod, tools)


def test_the_rules_of_others_stay(pod: Namespace):
    """A table of ours is all that is touched."""
    pod.run("nft", "add table ip theirs { chain mine { counter; } ; }")
    tools = str(Path(shutil.which("nft") or "").parent)
    run(pod, tools, SETTINGS)
    run(pod, tools, {}, "--undo")
    assert "table ip theirs" in pod.run("nft", "list ruleset")


def test_who_may_not_is_told_what_it_takes(pod: Namespace, tools: str):
    """Root without the capability is what a container is by default."""
    command = pod.command(shutil.which("setpriv") or "", "--bounding-set=-net_admin", *PROGRAM)
    done = subprocess.run(command, env={"PATH": tools, **SETTINGS}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "NET_ADMIN" in done.stderr


PORTS = st.lists(st.integers(1, 65535), max_size=20).map(lambda ports: tuple(sorted(set(ports))))
IDS = st.integers(0, 2**32 - 2)
NETWORKS = st.lists(st.ip_addresses(network="0.0.0.0/0") | st.ip_addresses(network="::/0"), max_size=5)


@st.composite
def captures(draw: st.DrawFn) -> Capture:
    """Any capture that an environment can ask for."""
    networks = [ip_network((each, draw(st.integers(0, each.max_prefixlen))), strict=False) for each in draw(NETWORKS)]
    return Capture(
        draw(st.integers(1, 65535)),
        draw(st.integers(1, 65535)),
        draw(IDS),
        draw(st.none() | IDS),
        draw(PORTS),
        (22, *draw(PORTS)),
        (*ALWAYS_IGNORED_NETWORKS, *networks),
        draw(st.booleans()),
    )


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(capture=captures())
def test_the_kernel_takes_whatever_an_environment_can_ask_for(pod: Namespace, capture: Capture):
    """Both tools do, in both families."""
    pod.run("nft", "-f", "-", script=nftables.script(capture, Family))
    pod.run("nft", "-f", "-", script=nftables.script(None, Family))
    if shutil.which("iptables-restore"):
        pod.run("iptables-restore", "--noflush", "--test", script=iptables.script(capture, Family.IPV4, ""))
