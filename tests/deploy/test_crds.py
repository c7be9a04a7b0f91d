import json
from pathlib import Path

import pytest

from deploy.local import crds, kubeconfig
from deploy.local.credentials import Credentials
from deploy.local.errors import LocalStackError
from tests.deploy.toolchain.release_server import Answer, cut_short, hang, serving

NAME = "things.example.dev"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one definition."""
    folder = tmp_path / "crds"
    folder.mkdir()
    (folder / "things.yaml").write_text(f"metadata: {{name: {NAME}}}\n")
    return folder


def config_for(url: str, tmp_path: Path) -> Path:
    """A kubeconfig that leads to a server."""
    credentials = Credentials(tmp_path)
    credentials.ensure()
    kubeconfig.write(tmp_path / "kubeconfig", url, credentials)
    return tmp_path / "kubeconfig"


def test_a_refusal_is_told_in_the_api_servers_words(folder: Path, tmp_path: Path):
    """Its message alone, without headers and the rest of the answer."""
    path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{NAME}?fieldManager=meshwright&force=True"

    def refuse(handler) -> None:
        handler.rfile.read(int(handler.headers["Content-Length"]))
        body = json.dumps({"kind": "Status", "message": "spec.versions: Required value"}).encode()
        handler.send_response(422)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    answers: dict[str, Answer] = {path: refuse, path.replace("True", "true"): refuse}
    with serving(answers) as server, pytest.raises(LocalStackError) as refused:
        crds.apply(config_for(server.url, tmp_path), folder)
    assert str(refused.value) == f"cannot apply the definition of {NAME}: spec.versions: Required value"


@pytest.mark.parametrize(
    ("second", "says"),
    [pytest.param("dies", "Connection", id="dies"), pytest.param("silent", "Read timed out", id="silent")],
)
def test_an_api_server_that_stops_answering_is_told(folder: Path, tmp_path: Path, monkeypatch, second, says):
    """It took the definition, and then it died or hung: whoever waits is told soon."""
    path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{NAME}"

    def take(handler) -> None:
        handler.rfile.read(int(handler.headers["Content-Length"]))
        cut_short(b"null", 4)(handler)

    def stop(handler) -> None:
        if second == "silent":
            hang(handler)

    applied = {f"{path}?fieldManager=meshwright&force={true}": take for true in ("True", "true")}
    monkeypatch.setattr(crds, "_READ_WITHIN", 0.1)
    told = pytest.raises(LocalStackError, match=f"cannot read the definition of {NAME}: .*{says}")
    with serving({**applied, path: stop}) as server, told:
        crds.apply(config_for(server.url, tmp_path), folder)


def test_without_definitions_nothing_is_asked(tmp_path: Path):
    """An empty folder is applied at once."""
    with serving({}) as server:
        crds.apply(config_for(server.url, tmp_path), tmp_path / "none")
        assert server.requests == []


def test_the_committed_definitions_are_the_three_kinds():
    """What an `up` teaches the cluster."""
    assert {file.name for file in crds.FOLDER.glob("*.yaml")} == {
        f"appmesh.k8s.aws_{plural}.yaml" for plural in ("meshes", "virtualnodes", "virtualservices")
    }
