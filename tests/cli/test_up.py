"""`meshwright up` that is used wrongly."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["--ports", "foo"], "'foo' is not NAME=NUMBER", id="no number"),
        pytest.param(["--ports", "temporal=99999"], "a number from 1 to 65535", id="no such number"),
        pytest.param(["--ports", "temporal=²"], "is not NAME=NUMBER", id="no digit"),
        pytest.param(["--ports", "foo=1"], "there is no port 'foo'", id="no such port"),
        pytest.param(["--ports", "etcd=9,xds=9"], "port 9 cannot be both etcd and xds", id="one port for two"),
        pytest.param(["--external", "foo"], "'foo' cannot be external", id="no such external"),
        pytest.param(["--external", "temporal"], "needs TEMPORAL_ADDRESS", id="external nowhere"),
        pytest.param(["--external", "kubernetes"], "cannot be used: it is no YAML in line 1", id="no kubeconfig"),
        pytest.param(["--parts", "foo"], "there is no part 'foo'", id="no such part"),
    ],
)
@pytest.mark.parametrize("way", [[], ["--detach"]], ids=["stays", "detached"])
def test_wrong_usage_is_told_before_anything_is_started(arguments, says, way, tmp_path: Path, monkeypatch):
    """With exit code 2, as of every command."""
    monkeypatch.delenv("TEMPORAL_ADDRESS", raising=False)
    (tmp_path / "kubeconfig").write_text("clusters: [")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    result = CliRunner().invoke(app, ["up", "--dir", str(tmp_path / "stack"), *way, *arguments])
    assert result.exit_code == 2
    assert result.stderr.startswith("meshwright up: ")
    assert says in result.stderr
