"""`meshwright proxy-init`: what the user is told when it cannot be done."""

import subprocess
import sys


def test_a_bad_variable_is_one_line_and_exit_code_2():
    """Named, before anything is looked at."""
    environment = {"APPMESH_START_ENABLED": "1", "APPMESH_IGNORE_UID": "envoy"}
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "proxy-init"], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "meshwright: APPMESH_IGNORE_UID: must be a number up to 4294967294, is 'envoy'\n"
