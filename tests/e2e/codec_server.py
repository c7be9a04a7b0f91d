"""The codec server as a process of its own, beside a stack."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from deploy.local.readiness import http_answers
from tests.e2e.cluster import Cluster
from tests.waiting import until


@contextmanager
def codec_server(cluster: Cluster, **environment: str) -> Iterator[str]:
    """Serve until the block ends, with the settings of the stack's processes and these; its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, "-m", "cli.main", "codec-server", "--codec-listen", address]
    process = subprocess.Popen(command, env=cluster.stack.environment | environment)
    try:
        until(http_answers(f"http://{address}/healthz"), lambda complaint: complaint is None, "the codec server")
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(30)
