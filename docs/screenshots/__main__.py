"""Makes the pictures: a stack, the example, an edit, resources that wait and fail, and a browser that looks at them.

The stack lives in `.venv`, the browser's driver in `.venv-tools`: `browser.py` is run there, and given URLs as JSON.
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlencode

import yaml

from deploy.local.stack import LocalStack, StackSettings
from tests.builders import Manifest
from tests.e2e.cluster import Cluster, clients_of
from tests.e2e.workflows import id_of
from tests.waiting import until

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "how-to" / "images"
PYTHON = ROOT / ".venv-tools" / "bin" / "python"

NAMESPACE = "colors"
RUNNING = urlencode({"query": 'ExecutionStatus = "Running"'})
COLUMNS = ("Status", "MeshwrightPhase", "MeshwrightReason", "MeshwrightKind", "MeshwrightMesh", "Workflow ID")


def main() -> None:
    """Make all pictures."""
    IMAGES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as directory,
        LocalStack(directory, StackSettings(fast=True)) as stack,
        clients_of(stack) as cluster,
    ):
        service = apply_everything(cluster)
        ui = stack.environment["MESHWRIGHT_TEMPORAL_UI"]
        listed = f"{ui}/namespaces/default/workflows?{RUNNING}"
        shoot(
            picture("workflow-list.png", listed, "WaitingForVirtualNodes", width=1500, height=560),
            picture("history.png", page(cluster, ui, service, "history"), "UpdateRoute", height=900),
            picture("current-details.png", page(cluster, ui, service, "user-metadata"), "Last reconcile", height=820),
        )
        with call_that_does_not_get_through(cluster) as late:
            shoot(picture("pending-retry.png", page(cluster, ui, late, "pending-activities"), "CreateMesh", height=500))


def picture(name: str, url: str, shows: str, **size: int) -> dict[str, object]:
    """One that is made of a page as soon as that shows this text."""
    return {"picture": name, "url": url, "shows": shows, **size}


def apply_everything(cluster: Cluster) -> Manifest:
    """The example with its canary edit, a service that waits and one that is refused; the example's own service."""
    manifests = [each for each in yaml.safe_load_all((ROOT / "examples/colors/manifest.yaml").read_text()) if each]
    resources = [each for each in manifests if each["apiVersion"].startswith("appmesh")]
    cluster.converge(*resources)
    canary: Manifest = yaml.safe_load((ROOT / "examples/colors/canary.yaml").read_text())
    cluster.converge(canary)
    waiting, refused = (
        variant(canary, "waits", {"not-there-yet": 1}),
        variant(canary, "refused", {"blue": 60, "green": 60}),
    )
    cluster.kubernetes.apply(waiting, refused)
    cluster.kubernetes.wait_reason(waiting, "WaitingForVirtualNodes")
    cluster.kubernetes.wait_reason(refused, "BadRequest")
    return canary


def variant(service: Manifest, name: str, targets: dict[str, int]) -> Manifest:
    """Another service of the mesh, with one route."""
    weighted = [{"virtualNodeName": node, "weight": weight} for node, weight in targets.items()]
    route = {"name": "all", "http": {"match": {"prefix": "/"}, "action": {"weightedTargets": weighted}}}
    router = {**service["spec"]["virtualRouter"], "name": f"{name}-router"}
    return {
        **service,
        "metadata": {"name": f"{name}.{NAMESPACE}.svc.cluster.local", "namespace": NAMESPACE},
        "spec": {**service["spec"], "virtualRouter": router, "routes": [route]},
    }


@contextmanager
def call_that_does_not_get_through(cluster: Cluster) -> Iterator[Manifest]:
    """A service that is created while the App Mesh API does not answer."""
    mesh: Manifest = {
        "apiVersion": "appmesh.k8s.aws/v1beta1",
        "kind": "Mesh",
        "metadata": {"name": "second-mesh"},
        "spec": {},
    }
    with cluster.frozen("control-plane"):
        cluster.kubernetes.apply(mesh)
        until(lambda: cluster.workflows.attempts(mesh), lambda attempts: attempts >= 2, "a second attempt")
        yield mesh


def page(cluster: Cluster, ui: str, manifest: Manifest, tab: str) -> str:
    """The address of a tab of a resource's workflow."""
    found = cluster.workflows.describe(manifest)
    assert found is not None
    return f"{ui}/namespaces/default/workflows/{quote(id_of(manifest), safe='')}/{found.run_id}/{tab}"


def shoot(*shots: dict[str, object]) -> None:
    """Have the browser make pictures."""
    order = {"columns": COLUMNS, "folder": str(IMAGES), "shots": shots}
    script = Path(__file__).with_name("browser.py")
    subprocess.run([str(PYTHON), str(script)], input=json.dumps(order).encode(), check=True, env=dict(os.environ))
    for shot in shots:
        print(f"{shot['picture']}: {(IMAGES / str(shot['picture'])).stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
