"""Whose the files on a pod's volumes are: the injector only touches that where its proxy has some to read."""

from dataclasses import replace
from typing import Any

import pytest

from injector.configuration import Flavour
from injector.decision import decide
from injector.directory import Directory
from tests.builders import Manifest
from tests.injector.applying import applied
from tests.injector.cases import CONFIGURATION, NAMESPACE, NODES, pod

CLAIM = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}


def group(made: Manifest, **settings: Any) -> int | None:
    """The `fsGroup` that a pod ends up with."""
    verdict = decide(made, NAMESPACE, replace(CONFIGURATION, **settings), Directory(NODES))
    assert verdict.patch
    found: int | None = (applied(made, verdict.patch)["spec"].get("securityContext") or {}).get("fsGroup")
    return found


def test_a_proxy_that_reads_no_files_leaves_those_of_the_pod_alone() -> None:
    """Kubelet would change group and mode of all that is on the claim."""
    assert group(pod("any", volumes=[CLAIM])) is None
    assert group(pod("any", volumes=[CLAIM]), token_secret="mesh-token") is None


@pytest.mark.parametrize(
    ("annotations", "settings"),
    [
        pytest.param({"secretMounts": "cart:/certificates"}, {}, id="secret-mounts"),
        pytest.param({"volumeMounts": "data:/data"}, {}, id="volume-mounts"),
        pytest.param({}, {"certificate_secret": "{node}-tls"}, id="certificate"),
        pytest.param({}, {"flavour": Flavour.AGENT}, id="agent"),
    ],
)
def test_a_proxy_that_reads_files_gets_the_group_that_may(annotations: dict[str, str], settings: Any) -> None:
    """Unless the pod has said whose they are."""
    assert group(pod("any", annotations=annotations, volumes=[CLAIM]), **settings) == 1337
    said = pod("any", annotations=annotations, volumes=[CLAIM], securityContext={"fsGroup": 2000})
    assert group(said, **settings) == 2000
