"""Story: Temporal is somebody else's. Whoever runs it lets us in by certificate and key, and reads nothing of ours."""

import asyncio
import base64
import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from temporalio.client import Client, WorkflowHistory

from deploy.local.plan import Plan
from deploy.local.stack import LocalStack, StackSettings
from docs.screenshots.looking import Look, lacking, look
from tests.builders import http_route, tcp_route
from tests.control_plane.xds.ads.certificates import Authority
from tests.e2e.cluster import Cluster, clients_of, meshwright
from tests.e2e.codec_server import codec_server
from tests.e2e.temporal_frontend import Frontend, temporal_frontend
from tests.e2e.workflows import id_of
from tests.e2e.world import World

API_KEY = "the-api-key"


@dataclass(frozen=True)
class Secured:
    """The stack, the front of its Temporal, and the file of keys."""

    cluster: Cluster
    frontend: Frontend
    temporal: LocalStack
    plain_address: str
    keys: Path
    environment: dict[str, str]

    def meshwright(self, *arguments: str, **variables: str | None) -> "subprocess.CompletedProcess[str]":
        """Run the command with the settings of the stack's processes, some of them otherwise."""
        return meshwright(self.cluster, *arguments, **{**self.environment, **variables})

    def raw_history(self, id: str) -> str:
        """What Temporal itself has, as its operators can read it: in the clear where nothing is encrypted."""

        async def fetched() -> WorkflowHistory:
            client = await Client.connect(self.plain_address)
            return await client.get_workflow_handle(id).fetch_history()

        history = asyncio.run(fetched())
        payloads = [event.SerializeToString().decode("latin-1") for event in history.events]
        return "\n".join(payloads)


def key_line(name: str) -> str:
    """A line of the file."""
    return f"{name}:{base64.b64encode(name.encode().ljust(32, b'.')).decode()}\n"


def temporal_shows(secured: Secured, id: str, *more: str) -> str:
    """The history as Temporal's own command line shows it."""
    binary = Plan.read(secured.temporal.layout.plan).binaries["temporal"]
    of = ["--address", secured.plain_address, "--workflow-id", id, "--output", "json"]
    shown = subprocess.run([binary, "workflow", "show", *of, *more], capture_output=True, check=True, timeout=60)
    # What it cannot read it prints as it is, in base64.
    return " ".join([shown.stdout.decode(), *map(decoded, re.findall(rb'"data": "([^"]+)"', shown.stdout))])


def first_signal(secured: Secured, id: str) -> str:
    """The page of Temporal's UI that shows what a workflow was told first."""

    async def run() -> str:
        client = await Client.connect(secured.plain_address)
        return (await client.get_workflow_handle(id).describe()).run_id or ""

    ui = secured.temporal.environment["MESHWRIGHT_TEMPORAL_UI"]
    return f"{ui}/namespaces/default/workflows/{quote(id, safe='')}/{asyncio.run(run())}/history/events/2"


def decoded(data: bytes) -> str:
    """What is behind base64."""
    return base64.b64decode(data).decode("latin-1")


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """A whole stack whose processes reach Temporal by mutual TLS and API key, with a codec."""
    directory = tmp_path_factory.mktemp("secured")
    authority = Authority()
    authority.write(directory, server="localhost", client="meshwright.example")
    (directory / "ca.pem").write_bytes(authority.pem)
    keys = directory / "keys"
    keys.write_text(key_line("first"))
    server = ((directory / "server.key").read_bytes(), (directory / "server.pem").read_bytes())
    with (
        LocalStack(directory / "temporal", StackSettings(parts=("temporal",), fast=True)) as temporal,
        temporal_frontend(temporal.environment["TEMPORAL_ADDRESS"], API_KEY, server, authority.pem) as frontend,
    ):
        environment = {
            "TEMPORAL_ADDRESS": frontend.address,
            "TEMPORAL_API_KEY": API_KEY,
            "TEMPORAL_TLS_SERVER_CA_CERT_PATH": str(directory / "ca.pem"),
            "TEMPORAL_TLS_CLIENT_CERT_PATH": str(directory / "client.pem"),
            "TEMPORAL_TLS_CLIENT_KEY_PATH": str(directory / "client.key"),
            "MESHWRIGHT_PAYLOAD_KEYS_FILE": str(keys),
        }
        settings = StackSettings(external=frozenset({"temporal"}), fast=True, environment=environment)
        with LocalStack(directory / "stack", settings) as stack, clients_of(stack) as cluster:
            yield Secured(cluster, frontend, temporal, temporal.environment["TEMPORAL_ADDRESS"], keys, environment)


def test_all_calls_carry_certificate_and_key_and_nothing_of_a_spec_is_stored_in_the_clear(secured: Secured) -> None:
    """A create, a refusal with App Mesh's words, and an edit; then new keys, with which the old history is read."""
    world = World("secret")
    cluster = secured.cluster
    service = world.service("cart", [http_route("r1", {"cart": 1}, prefix="/prefix-of-the-spec")])
    refused = world.service("refused", [tcp_route()])
    cluster.converge(world.mesh(), world.node(), service)
    cluster.kubernetes.apply(refused)
    words = cluster.kubernetes.wait_reason(refused, "BadRequest")["message"]
    assert "protocol" in words

    stored = secured.raw_history(id_of(service)) + secured.raw_history(id_of(refused))
    assert "binary/encrypted" in stored
    for secret in ("prefix-of-the-spec", "weightedTarget", "virtualRouter", "Create route", words, "cart-router"):
        assert secret not in stored
    assert secured.frontend.answered[
        "/temporal.api.workflowservice.v1.WorkflowService/SignalWithStartWorkflowExecution"
    ]
    assert not secured.frontend.refused

    secured.keys.write_text(key_line("second") + key_line("first"))
    cluster.stack.restart("worker", "watcher")
    service["spec"]["routes"] = [http_route("r1", {"cart": 2}, prefix="/prefix-of-the-spec")]
    with cluster.app_mesh.counted() as calls:
        cluster.converge(service)
    assert {name: count for name, count in calls.items() if count} == {"UpdateRoute": 1}  # it remembers by the old key
    assert "second" in secured.raw_history(id_of(service))

    with codec_server(secured.cluster, **secured.environment, MESHWRIGHT_CODEC_TOKEN="t") as endpoint:
        shown = temporal_shows(secured, id_of(service), "--codec-endpoint", endpoint, "--codec-auth", "Bearer t")
        assert "prefix-of-the-spec" in shown
    assert "prefix-of-the-spec" not in temporal_shows(secured, id_of(service))

    told = secured.meshwright(
        "history", f"virtualservice/{service['metadata']['name']}", "-n", world.name, "-o", "json"
    )
    assert told.returncode == 0, told.stderr
    reconciles = json.loads(told.stdout)
    assert reconciles[-1]["calls"][0]["summary"].startswith("Update route r1")
    told = secured.meshwright(
        "history", f"virtualservice/{refused['metadata']['name']}", "-n", world.name, "-o", "json"
    )
    assert words[:60] in told.stdout


@pytest.mark.skipif(lacking() is not None, reason=str(lacking()))
def test_temporals_ui_shows_what_is_encrypted_where_the_codec_server_lets_its_page_ask(secured: Secured) -> None:
    """In a real browser: unreadable without the codec server, and from a page whose origin it was not told."""
    mesh = World("looked-at").mesh(egressFilter={"type": "DROP_ALL"})
    secured.cluster.converge(mesh)
    page = first_signal(secured, id_of(mesh))
    encrypted = base64.b64encode(b"binary/encrypted").decode()
    ui = secured.temporal.environment["MESHWRIGHT_TEMPORAL_UI"]
    with codec_server(secured.cluster, **secured.environment, MESHWRIGHT_CODEC_ORIGINS=ui) as endpoint:
        asks = {"endpoint": endpoint}  # where the UI keeps what a person enters behind the glasses
        look(
            Look(page, encrypted, hides=("DROP_ALL",)),
            Look(page, "DROP_ALL", hides=(encrypted,), storage=asks),
            Look(page.replace("127.0.0.1", "localhost"), "could not connect", hides=("DROP_ALL",), storage=asks),
        )


@pytest.mark.parametrize(
    "variables",
    [
        pytest.param({"TEMPORAL_API_KEY": "another"}, id="wrong-key"),
        pytest.param(
            {"TEMPORAL_TLS_CLIENT_CERT_PATH": None, "TEMPORAL_TLS_CLIENT_KEY_PATH": None}, id="no-certificate"
        ),
        pytest.param({"TEMPORAL_TLS_CLIENT_KEY_PATH": "/none/of/that"}, id="no-such-file"),
        pytest.param({"TEMPORAL_TLS_SERVER_CA_CERT_PATH": None}, id="unknown-authority"),
    ],
)
def test_who_lacks_one_of_them_is_not_let_in_and_says_so(secured: Secured, variables: dict[str, str | None]) -> None:
    """Exit code 2 and one line."""
    asked = secured.meshwright("history", "mesh/any", **variables)
    assert asked.returncode == 2, asked.stdout
    assert len(asked.stderr.strip().splitlines()) == 1
