"""What the compiler makes, looked at by a real Envoy (`--mode validate`): it knows rules that protobuf cannot say."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings

from control_plane.xds.compile import Compiler
from control_plane.xds.snapshot import Snapshot
from tests.control_plane import specs
from tests.control_plane.xds.compile.meshes import one_route, snapshot_of
from tests.control_plane.xds.compile.static import bootstrap
from tests.control_plane.xds.compile.strategies import meshes, options
from tests.control_plane.xds.compile.test_access_logs import COMMANDS, UNREADABLE, logging
from tests.control_plane.xds.compile.test_properties import PROXIES
from tests.control_plane.xds.compile.test_routes import NO_BYTE

pytestmark = pytest.mark.e2e

_SECONDS = 60
_SHOWN = 400


def refusal(envoy: Path, snapshots: list[Snapshot], files: dict[str, str], directory: Path) -> str | None:
    """Why Envoy will not have these snapshots; None if it will."""
    return refused(envoy, bootstrap(snapshots, files), directory)


def refused(envoy: Path, content: dict[str, Any], directory: Path) -> str | None:
    """Why Envoy will not have this bootstrap; None if it will."""
    config = directory / "bootstrap.json"
    config.write_text(json.dumps(content))
    command = [str(envoy), "--mode", "validate", "--log-level", "error", "--config-path", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    return done.stderr[-_SHOWN:] if done.returncode else None


def test_envoy_accepts_whatever_is_compiled(envoy, certificate, tmp_path):
    """Any valid mesh, both kinds of proxy, with and without capture."""
    snapshots: list[Snapshot] = []

    @given(state=meshes(), chosen=options)
    @settings(max_examples=40, derandomize=True, database=None, phases=[Phase.generate])
    def compiled(state, chosen):
        found = [Compiler().compile_proxy(state, proxy, chosen) for proxy in PROXIES]
        snapshots.extend(snapshot for snapshot in found if snapshot is not None)

    compiled()
    if refusal(envoy, snapshots, certificate, tmp_path) is not None:
        each = {number: refusal(envoy, [one], certificate, tmp_path) for number, one in enumerate(snapshots)}
        pytest.fail(f"refused: { {number: reason for number, reason in each.items() if reason} }")


def test_envoy_knows_all_commands_of_formats(envoy, certificate, tmp_path):
    """Those that the compiler lets through."""
    text = " ".join(COMMANDS)
    assert refusal(envoy, [snapshot_of(logging(format={"text": text}))], certificate, tmp_path) is None


def with_mark(config: dict[str, Any], text: str) -> dict[str, Any]:
    """The bootstrap with this text where `MARK` stands, past the compiler."""
    marked: dict[str, Any] = json.loads(json.dumps(config).replace("MARK", json.dumps(text)[1:-1]))
    return marked


@pytest.mark.parametrize("text", UNREADABLE)
def test_envoy_refuses_the_formats_that_are_left_out(envoy, certificate, tmp_path, text):
    """It would not have them, so nothing is kept from it that it could do."""
    snapshot = snapshot_of(logging(format={"text": "MARK"}))
    assert refused(envoy, with_mark(bootstrap([snapshot], certificate), text), tmp_path) is not None


def test_envoy_refuses_a_regular_expression_of_what_is_no_byte(envoy, certificate, tmp_path):
    """And takes it with another character."""
    route = {"httpRoute": {"match": {"path": {"regex": "/MARK"}}, "action": specs.targets(blue=1)}}
    config = bootstrap([snapshot_of(one_route(route))], certificate)
    assert refused(envoy, with_mark(config, NO_BYTE.replace("100", "ff")), tmp_path) is None
    assert "invalid escape sequence" in (refused(envoy, with_mark(config, NO_BYTE), tmp_path) or "")
