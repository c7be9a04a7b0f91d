"""What a resource says of the Envoys in its mesh, with traffic that follows and an Envoy that refuses."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.builders import Manifest, listener
from tests.traffic.town import Town
from tests.waiting import until

ACCEPTED, SYNCED = "DataPlaneAccepted", "DataPlaneSynced"


def reasons(town: Town, manifest: Manifest) -> tuple[Any, Any]:
    """Status and reason of both conditions, as of the newest generation."""
    found = (town.cluster.kubernetes.condition(manifest, type) for type in (ACCEPTED, SYNCED))
    accepted, synced = (f"{each.get('status')} {each.get('reason')}" for each in found)
    return accepted, synced


def wait_says(town: Town, manifest: Manifest, accepted: str, synced: str) -> None:
    """Wait until the resource says this."""
    name = manifest["metadata"]["name"]
    until(lambda: reasons(town, manifest), lambda found: found == (accepted, synced), f"{name} to say {synced}")


def wait_synced(town: Town, *manifests: Manifest) -> None:
    """Wait until all Envoys have followed these."""
    for manifest in manifests:
        wait_says(town, manifest, "True Accepted", "True Synced")


@contextmanager
def hesitating(town: Town, node: str) -> Iterator[None]:
    """An Envoy that answers nothing inside the block."""
    pid = town.site.sidecars[town.api_name(node)].pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_synced_means_that_traffic_follows(town: Town):
    """Not before the slowest Envoy has it; and without Envoys a resource says nothing."""
    everything = [town.world.mesh(), town.node("red"), town.node("green"), town.front(), town.service({"red": 1})]
    town.cluster.converge(*everything)
    assert {reasons(town, each) for each in everything} == {("None None", "None None")}
    town.open(town.service({"red": 1}))
    wait_synced(town, *everything)
    changed = town.service({"green": 1})
    with hesitating(town, "front"):
        town.cluster.kubernetes.apply(changed)
        wait_says(town, changed, "None None", "False Pushing")
        wait_synced(town, town.node("red"), town.world.mesh())
    wait_synced(town, changed)
    assert town.ask() == "green"
    assert "3 connected proxies" in town.cluster.kubernetes.condition(changed, SYNCED)["message"]
    town.cluster.kubernetes.apply(town.service({"red": 1}))
    wait_synced(town, changed)
    assert town.ask() == "red"


@pytest.mark.parametrize("town", ["sotw", "delta"], indirect=True)
def test_what_an_envoy_refuses_is_told_where_it_was_caused_and_only_there(town: Town):
    """An access log that cannot be opened: App Mesh takes any path. Until it is repaired, all else goes on."""
    others = [town.world.mesh(), town.node("green"), town.front()]
    town.open(town.service({"red": 1}))
    good, changed = town.node("red"), town.service({"green": 1})
    wait_synced(town, good, *others, changed)
    bad = town.node("red", logging={"accessLog": {"file": {"path": "/dev/null/there/is/none"}}})
    town.cluster.kubernetes.apply(bad)
    wait_says(town, bad, "False RefusedByProxy", "False RefusedByProxy")
    told = town.cluster.kubernetes.condition(bad, ACCEPTED)["message"]
    assert f"virtualNode/{town.api_name('red')} refuses" in told
    assert "/dev/null/there/is/none" in told
    assert any(event["reason"] == "RefusedByProxy" for event in town.cluster.kubernetes.events(bad))
    town.cluster.kubernetes.apply(changed)
    wait_synced(town, changed, *others)
    assert town.ask() == "green"
    from_acm = {"mode": "STRICT", "certificate": {"acm": {"certificateArn": "arn:aws:acm:us-west-2:1:certificate/1"}}}
    untold = town.node("red", listeners=[listener(town.ports["red"], tls=from_acm)])
    town.cluster.kubernetes.apply(untold)
    wait_says(town, untold, "False NotForProxies", "False NotForProxies")
    assert "spec.listeners[0].tls" in town.cluster.kubernetes.condition(untold, ACCEPTED)["message"]
    town.cluster.kubernetes.apply(good)
    wait_synced(town, good, changed, *others)
