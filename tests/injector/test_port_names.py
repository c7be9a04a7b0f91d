"""The name of the proxy's port: a Service finds a pod's port by its name, and means the application's."""

from dataclasses import replace
from typing import Any

import pytest

from injector.decision import decide
from injector.directory import Directory
from tests.builders import Manifest
from tests.injector.applying import applied
from tests.injector.cases import CONFIGURATION, NAMESPACE, NODES, container, pod


def port_named(made: Manifest, name: str, *, native: bool) -> int | None:
    """Where a Service with this targetPort leads: Kubernetes looks through the containers in order, then the others."""
    verdict = decide(made, NAMESPACE, replace(CONFIGURATION, native=native), Directory(NODES))
    assert verdict.patch
    spec = applied(made, verdict.patch)["spec"]
    ports: list[dict[str, Any]] = [
        port for each in (*spec["containers"], *spec["initContainers"]) for port in each.get("ports", ())
    ]
    return next((port["containerPort"] for port in ports if port.get("name") == name), None)


@pytest.mark.parametrize("native", [True, False])
def test_a_port_of_the_application_keeps_its_name_to_itself(native: bool) -> None:
    """Without sidecar containers the proxy stands before the application."""
    exporter = container(ports=[{"name": "stats", "containerPort": 9102}, {"containerPort": 8080}])
    assert port_named(pod("any", "cart", exporter), "stats", native=native) == 9102


@pytest.mark.parametrize("native", [True, False])
def test_the_proxys_port_is_found_by_name(native: bool) -> None:
    """Prometheus may look for it so."""
    assert port_named(pod("any"), "stats", native=native) == 9902
