"""Whether a resource has come to rest, for those who wait for it."""

import pytest
import typer

from cli.resource_argument import named, path
from cli.settling import Rest, verdict
from tests.builders import stored, virtual_node


def seen(main=("True", "Active"), accepted=None, synced=None, of_proxies=2, observed=2, **metadata):
    """A node of generation 2 with its main condition and, if given, what proxies make of generation `of_proxies`."""
    conditions = [condition("VirtualNodeActive", main)]
    if accepted is not None:
        conditions.append(condition("DataPlaneAccepted", accepted, of_proxies))
    if synced is not None:
        conditions.append(condition("DataPlaneSynced", synced, of_proxies))
    status = {"conditions": conditions, "observedGeneration": observed}
    return stored(virtual_node(), generation=2, **metadata) | {"status": status}


def condition(type, turned, generation=2):
    """A condition by its status and reason."""
    status, reason = turned
    return {"type": type, "status": status, "reason": reason, "message": "so", "observedGeneration": generation}


FINE, PUSHING = ("True", "Synced"), ("False", "Pushing")
NACK = ("False", "RefusedByProxy")


@pytest.mark.parametrize(
    ("resource", "rest", "said"),
    [
        pytest.param(seen(), Rest.REACHED, "Active: so", id="active, no proxies"),
        pytest.param(seen(observed=1), Rest.UNDER_WAY, "generation 2", id="an edit not dealt with"),
        pytest.param(stored(virtual_node()), Rest.UNDER_WAY, "generation 1", id="nothing said yet"),
        pytest.param(seen(("False", "WaitingForMesh")), Rest.UNDER_WAY, "WaitingForMesh: so", id="waits"),
        pytest.param(seen(("False", "AppMeshUnavailable")), Rest.UNDER_WAY, "AppMeshUnavailable", id="a passing fault"),
        pytest.param(seen(("False", "BadRequest")), Rest.REFUSED, "BadRequest: so", id="refused"),
        pytest.param(seen(("False", "InvalidSpec"), observed=1), Rest.UNDER_WAY, "generation", id="refused before"),
        pytest.param(seen(accepted=FINE, synced=FINE), Rest.REACHED, "Active: so", id="proxies follow"),
        pytest.param(seen(accepted=FINE, synced=PUSHING), Rest.UNDER_WAY, "Pushing", id="proxies do not yet"),
        pytest.param(seen(accepted=NACK, synced=NACK), Rest.REFUSED, "DataPlaneAccepted: Refused", id="proxies refuse"),
        pytest.param(seen(accepted=NACK, synced=NACK, of_proxies=1), Rest.REACHED, "Active", id="refused an older one"),
        pytest.param(seen(deletionTimestamp="2026-01-01T00:00:00Z"), Rest.UNDER_WAY, "Active", id="goes"),
        pytest.param(None, Rest.REACHED, "gone", id="gone"),
    ],
)
def test_who_waits_is_told_when_to_stop(resource, rest, said):
    """Reached or refused at the newest generation; everything else may turn."""
    found = verdict(resource)
    assert found.rest is rest
    assert said in found.said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mesh/shop", "mesh/shop"),
        ("Mesh/shop", "mesh/shop"),
        ("meshes/shop", "mesh/shop"),
        ("virtualnodes/cart", "virtualnode/prod/cart"),
        ("vn/cart", "virtualnode/prod/cart"),
        ("VirtualService/cart.prod", "virtualservice/prod/cart.prod"),
    ],
)
def test_a_resource_is_named_as_kubectl_names_it(text, said):
    """A mesh has no namespace, whatever is given."""
    assert path(named(text, "prod")) == said


@pytest.mark.parametrize("text", ["cart", "pod/cart", "mesh/", "/cart"])
def test_what_names_no_resource_is_refused(text):
    """With the kinds that there are."""
    with pytest.raises(typer.BadParameter, match="virtualservice"):
        named(text, "prod")
