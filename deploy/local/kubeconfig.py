"""The kubeconfig of the stack's own cluster: its administrator, with all keys embedded, so the file can be copied."""

import base64
import json
from pathlib import Path

from deploy.local.credentials import Credentials


def write(path: Path, server: str, credentials: Credentials) -> None:
    """Write the file, for the owner alone. It is JSON, which every reader of YAML reads."""
    name = "meshwright"
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": name, "cluster": {"server": server, "certificate-authority-data": _data(credentials.authority)}}
        ],
        "users": [
            {
                "name": name,
                "user": {
                    "client-certificate-data": _data(credentials.certificate("admin")),
                    "client-key-data": _data(credentials.key("admin")),
                },
            }
        ],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": "default"}}],
        "current-context": name,
    }
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(json.dumps(content, indent=2) + "\n")


def _data(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()
