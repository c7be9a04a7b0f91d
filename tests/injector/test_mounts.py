"""What is mounted into the proxy: each thing at a path of its own, or the annotation is named that asks for another."""

from dataclasses import replace
from typing import Any

import pytest

from injector.configuration import Flavour
from injector.decision import Outcome, decide
from injector.directory import Directory
from tests.injector.cases import CONFIGURATION, NAMESPACE, NODES, pod

DATA = {"name": "data", "emptyDir": {}}


@pytest.mark.parametrize(
    ("annotations", "settings", "named"),
    [
        pytest.param(
            {"secretMounts": "cart:/certs", "volumeMounts": "data:/certs"}, {}, "volumeMounts", id="two-annotations"
        ),
        pytest.param(
            {"secretMounts": "cart:/certs", "volumeMounts": "data:/certs/"}, {}, "volumeMounts", id="slash-at-the-end"
        ),
        pytest.param(
            {"secretMounts": "cart:/etc/meshwright/certificate"},
            {"certificate_secret": "{node}-tls"},
            "secretMounts",
            id="the-proxys-certificate",
        ),
        pytest.param(
            {"volumeMounts": "data:/etc/meshwright/bootstrap"},
            {"flavour": Flavour.AGENT},
            "volumeMounts",
            id="the-proxys-bootstrap",
        ),
    ],
)
def test_two_things_at_one_path_are_refused(annotations: dict[str, str], settings: Any, named: str) -> None:
    """Kubernetes would refuse the pod too, in words about a container that its owner has never seen."""
    made = pod("any", annotations=annotations, volumes=[DATA])
    verdict = decide(made, NAMESPACE, replace(CONFIGURATION, **settings), Directory(NODES))
    assert verdict.outcome is Outcome.REFUSED_ANNOTATION
    assert verdict.refusal is not None
    assert f"/{named}: " in verdict.refusal
    assert "something else is mounted" in verdict.refusal


def test_a_path_that_the_proxy_does_not_use_is_free() -> None:
    """Where no certificate is mounted, its path is anybody's."""
    made = pod("any", annotations={"secretMounts": "cart:/etc/meshwright/certificate"})
    assert decide(made, NAMESPACE, CONFIGURATION, Directory(NODES)).outcome is Outcome.INJECTED
