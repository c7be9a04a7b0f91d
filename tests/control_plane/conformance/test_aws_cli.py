"""The AWS CLI works by endpoint URL alone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.control_plane import specs
from tests.control_plane.serving import KEY_ID, REGION, SECRET

AWS = Path(sys.executable).with_name("aws")

pytestmark = pytest.mark.skipif(not AWS.exists(), reason="the AWS CLI is not installed beside this Python")


@pytest.fixture
def aws(api, tmp_path):
    """Run `aws appmesh ...` and return its exit code, parsed output and errors."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_ACCESS_KEY_ID": KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL_APP_MESH": api.url,
        "AWS_EC2_METADATA_DISABLED": "true",
    }

    def run(*arguments):
        command = [sys.executable, str(AWS), "appmesh", *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
        return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr

    return run


def test_a_mesh_and_a_node_by_the_command_line(aws):
    """Create, describe, list, delete, and an error as the CLI shows it."""
    mesh, node = ("--mesh-name", "by-cli"), ("--virtual-node-name", "node")
    code, answer, errors = aws("create-mesh", *mesh, "--spec", json.dumps({"egressFilter": {"type": "ALLOW_ALL"}}))
    assert (code, errors) == (0, "")
    assert answer["mesh"]["meshName"] == "by-cli"
    code, answer, _ = aws("create-virtual-node", *mesh, *node, "--spec", json.dumps(specs.node()))
    assert (code, answer["virtualNode"]["spec"]) == (0, specs.node())
    code, answer, _ = aws("describe-virtual-node", *mesh, *node)
    assert (code, answer["virtualNode"]["metadata"]["version"]) == (0, 1)
    code, answer, _ = aws("list-virtual-nodes", *mesh)
    assert [each["virtualNodeName"] for each in answer["virtualNodes"]] == ["node"]
    code, _, errors = aws("delete-mesh", *mesh)
    assert code in (254, 255)  # version 2 and version 1 of the CLI
    assert "An error occurred (ResourceInUseException) when calling the DeleteMesh operation" in errors
    assert aws("delete-virtual-node", *mesh, *node)[1]["virtualNode"]["status"] == {"status": "DELETED"}
    assert aws("delete-mesh", *mesh)[1]["mesh"]["status"] == {"status": "DELETED"}
