"""Lean imports: what nobody uses is not in memory, and what was left out can be imported afterwards."""

import subprocess
import sys

import pytest

from cli import clients
from cli.settings import Settings


def modules_after(code: str) -> set[str]:
    """The modules that a new process has imported after running some code."""
    code += "\nimport sys; print('\\n'.join(name for name, module in sys.modules.items() if module is not None))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.split())


@pytest.mark.parametrize("process", ["serve_watcher", "serve_worker"])
def test_a_process_imports_nothing_that_it_does_not_use(process: str) -> None:
    """Each of these costs every watcher and every worker megabytes."""
    found = modules_after(f"from cli.lean import lean_imports\nwith lean_imports():\n    import cli.{process}")
    assert found & {"grpc", "rich", "requests", "oauthlib", "websocket", "boto3", "cryptography"} == set()
    assert {"kubernetes.aio.client", "temporalio.client"} <= found


def test_what_was_left_out_can_be_imported_afterwards() -> None:
    """The OpenTelemetry exporter, or a console that draws, may need it."""
    found = modules_after(
        "from cli.lean import lean_imports\nwith lean_imports():\n    import structlog\nimport rich, grpc"
    )
    assert {"rich", "grpc"} <= found


def test_hosts_are_known_of_two_services_only() -> None:
    """The whole list is the largest thing that botocore keeps."""
    (partition, *_) = clients._service_models().load_data("endpoints")["partitions"]
    assert set(partition["services"]) == {"appmesh", "servicediscovery"}
    settings = Settings(app_mesh_region="eu-central-1")
    assert clients.cloud_map(settings).meta.endpoint_url == "https://servicediscovery.eu-central-1.amazonaws.com"
