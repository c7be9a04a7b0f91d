"""After the storm: nobody writes any more, for a whole minute (three seconds where time is short)."""

import time

from tests.faults.proxy import Fault
from tests.faults.rules import REFUSALS, is_kubernetes_write, is_write, mentioning, refused, strained
from tests.faults.scene import Scene


def test_nobody_writes_in_the_minute_after_a_storm(scene: Scene, full: bool) -> None:
    """Every edit under a strained API, worker and watcher killed; then App Mesh and Kubernetes are left alone."""
    site, cluster = scene.site, scene.cluster
    faults = [*(refused(code) for code in REFUSALS), Fault(cut_after=True), Fault(cut_before=True)]
    scene.open()
    with (
        site.app_mesh.ruled_by(strained(7, 0.5, mentioning(scene.world.name), faults)),
        scene.sampled("a storm, then a quiet minute"),
    ):
        scene.edit()
        cluster.kill("worker", "watcher")
    in_app_mesh, in_kubernetes = len(site.app_mesh.exchanges), len(site.kubernetes.exchanges)
    time.sleep(60.0 if full else 3.0)  # what must not happen has this long to do so
    assert site.app_mesh.effects(is_write, in_app_mesh) == []
    assert site.kubernetes.effects(is_kubernetes_write, in_kubernetes) == []
