"""What holds for every pod and every setting."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from injector.configuration import Configuration, Flavour, Unmatched
from injector.decision import Outcome, decide
from injector.directory import Directory
from tests.builders import Manifest
from tests.injector.applying import applied
from tests.injector.cases import CONFIGURATION, NAMESPACE, NODES
from tests.injector.strategies import pods

DIRECTORY = Directory(NODES)


@st.composite
def configurations(draw: st.DrawFn) -> Configuration:
    """Any settings that can be used together."""
    flavour = draw(st.sampled_from(Flavour))
    return replace(
        CONFIGURATION,
        by_default=draw(st.booleans()),
        mesh=draw(st.sampled_from([None, "sidecars"])),
        unmatched=draw(st.sampled_from(Unmatched)),
        native=draw(st.booleans()),
        flavour=flavour,
        token_secret=draw(st.sampled_from([None, "token"])) if flavour is Flavour.ENVOY else None,
        certificate_secret=draw(st.sampled_from([None, "{node}-tls"])),
        cpu_limit=draw(st.sampled_from([None, "100m", "1m"])),
    )


@given(pod=pods(), configuration=configurations())
def test_injecting_twice_is_injecting_once(pod: Manifest, configuration: Configuration):
    """A pod that has its sidecar is let through as it is, without a word."""
    verdict = decide(pod, NAMESPACE, configuration, DIRECTORY)
    if verdict.outcome is Outcome.INJECTED:
        again = decide(applied(pod, verdict.patch), NAMESPACE, configuration, DIRECTORY)
        assert (again.outcome, again.patch, again.warnings, again.refusal) == (Outcome.ALREADY, (), (), None)


@given(pod=pods(), configuration=configurations())
def test_all_of_the_sidecar_or_none_of_it(pod: Manifest, configuration: Configuration):
    """Proxy and redirection come together, and everything that the proxy mounts is there."""
    verdict = decide(pod, NAMESPACE, configuration, DIRECTORY)
    if verdict.outcome is not Outcome.INJECTED:
        assert verdict.patch == ()
        return
    patched = applied(pod, verdict.patch)
    spec = patched["spec"]
    init = [each["name"] for each in spec.get("initContainers", ())]
    (proxy,) = (each for each in (*spec["containers"], *spec.get("initContainers", ())) if each["name"] == "envoy")
    by_plugin = patched["metadata"].get("annotations", {}).get("appmesh.k8s.aws/appmeshCNI") == "enabled"
    assert ("proxyinit" in init) is not by_plugin
    volumes = [volume["name"] for volume in spec.get("volumes", ())]
    assert {mount["name"] for mount in proxy.get("volumeMounts", ())} <= set(volumes)
    assert len(volumes) == len(set(volumes))


@given(pod=pods(), configuration=configurations())
def test_what_the_pod_says_stays_as_it_is(pod: Manifest, configuration: Configuration):
    """Nothing is taken away or changed but the annotations that are the injector's to write."""
    patched = applied(pod, decide(pod, NAMESPACE, configuration, DIRECTORY).patch)
    assert _without_ours(patched["spec"]) == _without_ours(pod["spec"])
    kept = {name: value for name, value in pod["metadata"].items() if name != "annotations"}
    assert {name: value for name, value in patched["metadata"].items() if name != "annotations"} == kept


def _without_ours(spec: dict[str, Any]) -> dict[str, Any]:
    kept = dict(spec)
    for name in ("containers", "initContainers"):
        kept[name] = [each for each in spec.get(name, ()) if each["name"] not in ("envoy", "proxyinit")]
    kept["volumes"] = [each for each in spec.get("volumes", ()) if not each["name"].startswith("meshwright-")]
    context = dict(spec.get("securityContext") or {})
    if context.get("fsGroup") == 1337:
        del context["fsGroup"]
    return kept | {"securityContext": context}
