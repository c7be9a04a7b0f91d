"""Makes the pictures: a stack, the example, an edit, resources that wait and fail, and a browser that looks at them.

One more stack encrypts what Temporal stores, for the picture of what the codec server gives back.
"""

import base64
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlencode

import yaml

from deploy.local.stack import LocalStack, StackSettings
from docs.screenshots.looking import Look, look
from tests.builders import Manifest
from tests.e2e.cluster import Cluster, clients_of
from tests.e2e.codec_server import codec_server
from tests.e2e.workflows import id_of
from tests.waiting import until

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "how-to" / "images"

NAMESPACE = "colors"
RUNNING = urlencode({"query": 'ExecutionStatus = "Running"'})
COLUMNS = ("Status", "MeshwrightPhase", "MeshwrightReason", "MeshwrightKind", "MeshwrightMesh", "Workflow ID")
LISTED = {"namespace-workflow-table-columns": {"default": [{"label": label} for label in COLUMNS]}}


def main() -> None:
    """Make all pictures."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        of_the_ui(Path(directory))
    with tempfile.TemporaryDirectory() as directory:
        of_what_was_encrypted(Path(directory))


def of_the_ui(directory: Path) -> None:
    """Those of `temporal-ui.md`."""
    with LocalStack(directory, StackSettings(fast=True)) as stack, clients_of(stack) as cluster:
        service = apply_everything(cluster)
        listed = f"{stack.environment['MESHWRIGHT_TEMPORAL_UI']}/namespaces/default/workflows?{RUNNING}"
        shoot(
            picture("workflow-list.png", listed, "WaitingForVirtualNodes", width=1500, height=560),
            picture("history.png", page(cluster, service, "history"), "UpdateRoute", height=900),
            picture("current-details.png", page(cluster, service, "user-metadata"), "Last reconcile", height=820),
        )
        with call_that_does_not_get_through(cluster) as late:
            shoot(picture("pending-retry.png", page(cluster, late, "pending-activities"), "CreateMesh", height=500))


def of_what_was_encrypted(directory: Path) -> None:
    """That of `encrypt-histories.md`: what a workflow was told first, as the codec server opens it."""
    keys = directory / "payload-keys"
    keys.write_text(f"2026-11:{base64.b64encode(secrets.token_bytes(32)).decode()}\n")
    settings = StackSettings(fast=True, environment={"MESHWRIGHT_PAYLOAD_KEYS_FILE": str(keys)})
    with LocalStack(directory / "stack", settings) as stack, clients_of(stack) as cluster:
        service = apply_everything(cluster)
        with codec_server(cluster, MESHWRIGHT_PAYLOAD_KEYS_FILE=str(keys)) as endpoint:
            told = page(cluster, service, "history/events/2")
            shoot(picture("decrypted.png", told, '"snapshot"', height=900, storage={"endpoint": endpoint}))


def picture(
    name: str, url: str, shows: str, *, storage: Mapping[str, object] = LISTED, height: int, width: int = 1280
) -> Look:
    """One that is made of a page as soon as that shows this text."""
    return Look(url, shows, storage=storage, picture=IMAGES / name, width=width, height=height)


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


def page(cluster: Cluster, manifest: Manifest, tab: str) -> str:
    """The address of a tab of a resource's workflow."""
    found = cluster.workflows.describe(manifest)
    assert found is not None
    ui = cluster.stack.environment["MESHWRIGHT_TEMPORAL_UI"]
    return f"{ui}/namespaces/default/workflows/{quote(id_of(manifest), safe='')}/{found.run_id}/{tab}"


def shoot(*pictures: Look) -> None:
    """Have the browser make pictures."""
    look(*pictures)
    for each in pictures:
        assert each.picture is not None
        print(f"{each.picture.name}: {each.picture.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
