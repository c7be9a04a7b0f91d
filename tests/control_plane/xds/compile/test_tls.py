"""TLS of listeners and of calls to backends: who presents what, whom to trust, and what is never sent in the clear."""

from typing import Any

import pytest

from control_plane.xds.compile import Options
from control_plane.xds.snapshot import Kind
from tests.control_plane import specs
from tests.control_plane.xds.compile.meshes import EXPLICIT, mesh, problems, snapshot_of, told

FILE = {"file": {"certificateChain": "/tls/chain.pem", "privateKey": "/tls/key.pem"}}
SDS = {"sds": {"secretName": "web"}}
ACM = {"acm": {"certificateArn": "arn:aws:acm:us-west-2:000000000000:certificate/c"}}
TOLD_FILE = {
    "tls_certificates": [
        {"certificate_chain": {"filename": "/tls/chain.pem"}, "private_key": {"filename": "/tls/key.pem"}}
    ]
}
SOCKET = {
    "api_config_source": {
        "api_type": "GRPC",
        "transport_api_version": "V3",
        "grpc_services": [{"envoy_grpc": {"cluster_name": "static_cluster_sds_unix_socket"}}],
    },
    "resource_api_version": "V3",
}
TRUST_FILE = {"trust": {"file": {"certificateChain": "/tls/ca.pem"}}}
TRUST_ACM = {"trust": {"acm": {"certificateAuthorityArns": ["arn:aws:acm-pca:us-west-2:000000000000:c/a"]}}}


def listening(mode="STRICT", certificate=FILE, **more):
    """A node whose listener has TLS."""
    return specs.node(specs.listener(tls={"mode": mode, "certificate": certificate, **more}))


def ingress(node, options=Options()):  # noqa: B008
    """The chains of a node's listener."""
    snapshot = snapshot_of(mesh(nodes={"front": node}), options=options)
    name = "lds_ingress_0.0.0.0_15000" if options.capture else "lds_ingress_0.0.0.0_8080"
    return told(snapshot, Kind.LISTENER, name)


def context(chain):
    """The TLS context of a chain, without what all have."""
    found = chain["transport_socket"]["typed_config"]
    return {name: value for name, value in found.items() if name != "@type"}


@pytest.mark.parametrize("options", [Options(), EXPLICIT], ids=["captured", "explicit"])
@pytest.mark.parametrize(
    ("mode", "protocols"), [("STRICT", ["tls"]), ("PERMISSIVE", ["tls", "raw_buffer"]), ("DISABLED", [None])]
)
def test_modes(mode, protocols, options):
    """One chain with TLS, one without, or both; then a listener filter looks which it is."""
    listener = ingress(listening(mode), options)
    chains = listener["filter_chains"]
    assert [chain["filter_chain_match"].get("transport_protocol") for chain in chains] == protocols
    assert ["transport_socket" in chain for chain in chains] == [protocol == "tls" for protocol in protocols]
    looks = [each["name"] for each in listener.get("listener_filters", [])]
    assert ("envoy.filters.listener.tls_inspector" in looks) == (mode != "DISABLED")


def test_a_listener_presents_files_or_a_secret():
    """From the proxy's disk, or from its own SDS socket."""
    [chain] = ingress(listening(certificate=FILE))["filter_chains"]
    assert context(chain) == {"common_tls_context": TOLD_FILE}
    [chain] = ingress(listening(certificate=SDS))["filter_chains"]
    assert context(chain) == {
        "common_tls_context": {"tls_certificate_sds_secret_configs": [{"name": "web", "sds_config": SOCKET}]}
    }


def test_a_listener_that_validates_asks_for_a_certificate():
    """With names of every sort; any name if none is given."""
    names = {"match": {"exact": ["front.local", "spiffe://shop/front", "10.0.0.1"]}}
    [chain] = ingress(listening(validation={**TRUST_FILE, "subjectAlternativeNames": names}))["filter_chains"]
    assert context(chain) == {
        "common_tls_context": {
            **TOLD_FILE,
            "validation_context": {
                "trusted_ca": {"filename": "/tls/ca.pem"},
                "match_typed_subject_alt_names": [
                    {"san_type": "DNS", "matcher": {"exact": "front.local"}},
                    {"san_type": "URI", "matcher": {"exact": "spiffe://shop/front"}},
                    {"san_type": "IP_ADDRESS", "matcher": {"exact": "10.0.0.1"}},
                ],
            },
        },
        "require_client_certificate": True,
    }
    [chain] = ingress(listening(validation={"trust": {"sds": {"secretName": "ca"}}}))["filter_chains"]
    assert context(chain)["common_tls_context"]["combined_validation_context"] == {
        "default_validation_context": {},
        "validation_context_sds_secret_config": {"name": "ca", "sds_config": SOCKET},
    }


def test_a_listener_whose_certificate_cannot_be_had_takes_nothing_in_the_clear():
    """Unless it takes that anyway."""
    snapshot = snapshot_of(mesh(nodes={"front": listening(certificate=ACM)}))
    assert "lds_ingress_0.0.0.0_15000" not in snapshot.named(Kind.LISTENER)
    assert problems(snapshot) == [("front", "spec.listeners[0].tls.certificate.acm")]
    [chain] = ingress(listening("PERMISSIVE", certificate=ACM))["filter_chains"]
    assert "transport_socket" not in chain


def calling(target, tls=None, defaults=None):
    """`front` calls `target.local` under these client policies."""
    backend = specs.backend("target.local")
    if tls:
        backend["virtualService"]["clientPolicy"] = {"tls": tls}
    front: dict[str, Any] = {"backends": [backend]}
    if defaults:
        front["backendDefaults"] = {"clientPolicy": {"tls": defaults}}
    return mesh(nodes={"front": front, "target": target}, services={"target.local": specs.service(node="target")})


def outgoing(state):
    """The TLS context of the target's cluster; None if it is called in the clear."""
    cluster = told(snapshot_of(state), Kind.CLUSTER, "cds_egress_shop_target_http_8080")
    return context(cluster)["common_tls_context"] if "transport_socket" in cluster else None


POLICY = {"validation": TRUST_FILE}
TOLD_TRUST = {
    "validation_context": {
        "trusted_ca": {"filename": "/tls/ca.pem"},
        "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": "node.shop.local"}}],
    }
}


@pytest.mark.parametrize(
    ("mode", "policy", "expected"),
    [
        pytest.param(None, None, None, id="nobody asks"),
        pytest.param("PERMISSIVE", None, None, id="the clear is allowed"),
        pytest.param("STRICT", None, {}, id="the listener takes nothing else"),
        pytest.param(None, POLICY, TOLD_TRUST, id="the policy is enforced"),
        pytest.param("DISABLED", {**POLICY, "enforce": True}, TOLD_TRUST, id="the policy is enforced, said"),
        pytest.param(None, {**POLICY, "enforce": False}, None, id="not enforced, not offered"),
        pytest.param("PERMISSIVE", {**POLICY, "enforce": False}, TOLD_TRUST, id="not enforced, but offered"),
        pytest.param("STRICT", {**POLICY, "ports": [1]}, {}, id="another port's policy"),
        pytest.param(None, {**POLICY, "ports": [8080]}, TOLD_TRUST, id="this port's policy"),
    ],
)
def test_when_calls_are_encrypted(mode, policy, expected):
    """An enforced policy decides; else the listener does."""
    target = listening(mode) if mode else specs.node()
    assert outgoing(calling(target, policy)) == expected


def test_a_backends_policy_goes_before_the_default():
    """As a whole."""
    names = {"subjectAlternativeNames": {"match": {"exact": ["other.local"]}}}
    own = {"certificate": FILE, "validation": {**TRUST_FILE, **names}}
    assert outgoing(calling(specs.node(), defaults=POLICY)) == TOLD_TRUST
    told_own = outgoing(calling(specs.node(), own, POLICY))
    assert told_own is not None
    assert told_own["tls_certificates"] == TOLD_FILE["tls_certificates"]
    [name] = told_own["validation_context"]["match_typed_subject_alt_names"]
    assert name["matcher"] == {"exact": "other.local"}


def test_a_policy_that_lists_no_names_names_none():
    """It is not one that believes any name: an empty list is as good as none."""
    nobody = {"validation": {**TRUST_FILE, "subjectAlternativeNames": {"match": {"exact": []}}}}
    assert outgoing(calling(specs.node(), nobody)) == TOLD_TRUST


def test_a_node_is_known_without_the_dot_at_the_end_of_its_name():
    """No certificate has one."""
    target = {**specs.node(), "serviceDiscovery": {"dns": {"hostname": "node.shop.local."}}}
    assert outgoing(calling(target, POLICY)) == TOLD_TRUST


def test_a_node_of_cloud_map_is_known_by_its_service():
    """Where a policy names no names."""
    discovery = {"awsCloudMap": {"namespaceName": "prod", "serviceName": "target"}}
    told_trust = outgoing(calling({**specs.node(), "serviceDiscovery": discovery}, POLICY))
    assert told_trust is not None
    [name] = told_trust["validation_context"]["match_typed_subject_alt_names"]
    assert name["matcher"] == {"exact": "target.prod"}


def test_http2_is_agreed_on():
    """Clients of gRPC insist on it."""
    node = specs.node(specs.listener(8080, "grpc", tls={"mode": "STRICT", "certificate": FILE}))
    [chain] = ingress(node)["filter_chains"]
    assert context(chain)["common_tls_context"]["alpn_protocols"] == ["h2"]


def test_a_backend_that_cannot_be_trusted_is_refused():
    """503, and no cluster: nothing goes out in the clear."""
    snapshot = snapshot_of(calling(specs.node(), {"validation": TRUST_ACM}))
    assert "cds_egress_shop_target_http_8080" not in snapshot.named(Kind.CLUSTER)
    [host] = told(snapshot, Kind.ROUTE, "rds_egress_http_8080")["virtual_hosts"]
    assert host["routes"] == [{"match": {"prefix": "/"}, "direct_response": {"status": 503}}]
    assert problems(snapshot) == [("front", "spec.backends[0].virtualService.clientPolicy.tls.validation.trust.acm")]


def test_two_policies_for_one_node_cannot_both_be_kept():
    """Its cluster is one: the second backend is refused."""
    state = calling(specs.node(), POLICY)
    front = next(each for key, each in state.objects.items() if key.name == "front").spec
    other = mesh(
        nodes={"front": {"backends": [*front["backends"], specs.backend("again.local")]}, "target": specs.node()},
        services={name: specs.service(node="target") for name in ("target.local", "again.local")},
    )
    snapshot = snapshot_of(other)
    assert problems(snapshot) == [("front", "spec.backends[1].virtualService.virtualServiceName")]
    by_name = {host["name"]: host for host in told(snapshot, Kind.ROUTE, "rds_egress_http_8080")["virtual_hosts"]}
    assert "direct_response" in by_name["again.local"]["routes"][0]
    assert "route" in by_name["target.local"]["routes"][0]
