"""The command as people start it: what it needs, how it ends."""

import os
import signal
import subprocess
import threading

import pytest

from tests.control_plane import specs
from tests.control_plane.e2e.process import COMMAND, ControlPlaneProcess

pytestmark = pytest.mark.e2e

WITHOUT_KEYS = {name: value for name, value in os.environ.items() if not name.startswith("MESHWRIGHT_")}


def refused(*arguments: str, **environment: str) -> str:
    """What the command says when it does not start: one line, exit code 2."""
    done = subprocess.run(
        (*COMMAND, *arguments), env=WITHOUT_KEYS | environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2, done.stderr
    line = done.stderr.strip()
    assert line.startswith("meshwright: ")
    assert "\n" not in line
    return line


def test_without_a_key_it_does_not_start():
    """Nobody could sign a request; the message says how to set a key."""
    line = refused()
    assert "no access key" in line
    assert "MESHWRIGHT_ACCESS_KEYS" in line


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(("--access-keys", "secret-without-id"), "setting access_keys: expected ID:SECRET", id="key"),
        pytest.param(("--access-keys-file", "/nowhere"), "setting access_keys_file", id="key file"),
        pytest.param(("--database-url", "mysql://x"), "setting database_url: mysql", id="database"),
        pytest.param(("--quotas-file", "/nowhere"), "setting quotas_file", id="quotas"),
        pytest.param(("--control-plane-listen", "nonsense"), "setting control_plane_listen", id="address"),
        pytest.param(("--account-id", "12"), "setting account_id", id="account"),
    ],
)
def test_an_unusable_setting_is_named(tmp_path, arguments, says):
    """One line that names the setting, and no secret in it."""
    keys = {} if "--access-keys" in arguments else {"MESHWRIGHT_ACCESS_KEYS": "ID:a-secret"}
    line = refused(*arguments, **keys, MESHWRIGHT_DATABASE_URL=f"sqlite:///{tmp_path}/test.db")
    assert says in line
    assert "a-secret" not in line
    assert "secret-without-id" not in line


def test_an_address_in_use_is_named(tmp_path):
    """Two processes cannot have one port."""
    process = ControlPlaneProcess(tmp_path)
    process.start()
    line = refused(
        "--control-plane-listen",
        process.address,
        MESHWRIGHT_ACCESS_KEYS="ID:SECRET",
        MESHWRIGHT_DATABASE_URL=f"sqlite:///{tmp_path}/other.db",
    )
    process.kill()
    assert process.address in line


def test_it_ends_politely(tmp_path):
    """SIGTERM: requests under way are answered, the exit code is 0, and the state is there at the next start."""
    process = ControlPlaneProcess(tmp_path)
    process.start()
    with process.client() as client:
        client.create_mesh(meshName="m")
        started, codes = threading.Event(), list[int]()

        def create() -> None:
            for number in range(200):
                try:
                    answer = client.create_virtual_node(meshName="m", virtualNodeName=f"n-{number}", spec=specs.node())
                except Exception:
                    return
                codes.append(answer["ResponseMetadata"]["HTTPStatusCode"])
                started.set()

        writing = threading.Thread(target=create)
        writing.start()
        assert started.wait(30)
        assert process.end(signal.SIGTERM) == 0
        writing.join()
        process.start()
        pages = client.get_paginator("list_virtual_nodes").paginate(meshName="m")
        assert sum(len(page["virtualNodes"]) for page in pages) == len(codes)
        assert process.end(signal.SIGINT) == 0
