"""TLS: what a listener presents and whom it trusts, and the same for a proxy that calls a backend.

A certificate is a file at the proxy or a secret from the proxy's own SDS socket. One of ACM cannot be had without AWS:
that is a problem, and what should have been encrypted is then refused, never sent in the clear.
"""

from collections.abc import Sequence
from typing import NoReturn

from envoy.config.core.v3.base_pb2 import DataSource, TransportSocket
from envoy.config.core.v3.config_source_pb2 import ApiConfigSource, ApiVersion, ConfigSource
from envoy.config.core.v3.grpc_service_pb2 import GrpcService
from envoy.extensions.transport_sockets.tls.v3.common_pb2 import (
    CertificateValidationContext,
    SubjectAltNameMatcher,
    TlsCertificate,
)
from envoy.extensions.transport_sockets.tls.v3.secret_pb2 import SdsSecretConfig
from envoy.extensions.transport_sockets.tls.v3.tls_pb2 import CommonTlsContext, DownstreamTlsContext, UpstreamTlsContext
from envoy.type.matcher.v3.string_pb2 import StringMatcher
from google.protobuf.wrappers_pb2 import BoolValue

from control_plane.store.records import ObjectRecord, Spec
from control_plane.xds.compile import names
from control_plane.xds.compile.discovery import is_address
from control_plane.xds.compile.messages import packed
from control_plane.xds.compile.place import Place
from control_plane.xds.compile.policies import HTTP2_PROTOCOLS
from control_plane.xds.compile.targets import Target

_SOCKET = "envoy.transport_sockets.tls"


class Unavailable(ValueError):
    """TLS as it was asked for cannot be had; the place has been told."""


def listener_socket(tls: Place, protocol: str) -> TransportSocket:
    """What a listener with this `tls` member does, its mode apart.

    Raises:
        Unavailable: and the reason is a problem of the place.
    """
    common = _common(protocol, tls["certificate"])
    validation = tls.get("validation")
    if validation:
        _trust(common, validation, ())
    context = DownstreamTlsContext(
        common_tls_context=common, require_client_certificate=BoolValue(value=True) if validation else None
    )
    return TransportSocket(name=_SOCKET, typed_config=packed(context))


def backend_socket(policy: Place | None, node: ObjectRecord, target: Target) -> TransportSocket | None:
    """How a proxy with this client policy (its `tls`) calls a port of a node; None: in the clear.

    An enforced policy decides alone. Otherwise the listener does: one that takes nothing but TLS gets it.

    Raises:
        Unavailable: and the reason is a problem of the policy.
    """
    if policy and target.port not in policy.value.get("ports", [target.port]):
        policy = None
    mode = _mode(node.spec, target.port)
    enforced = policy is not None and policy.value.get("enforce", True)
    if not enforced and not (mode == "STRICT" or (policy and mode == "PERMISSIVE")):
        return None
    common = _common(target.protocol, policy.get("certificate") if policy else None)
    if policy:
        _trust(common, policy["validation"], _names_of(node.spec))
    return TransportSocket(name=_SOCKET, typed_config=packed(UpstreamTlsContext(common_tls_context=common)))


def _mode(spec: Spec, port: int) -> str:
    listener = next(each for each in spec["listeners"] if each["portMapping"]["port"] == port)
    mode: str = listener.get("tls", {}).get("mode", "DISABLED")
    return mode


def _names_of(spec: Spec) -> Sequence[str]:
    """What a node's certificate says unless the policy tells: the name by which the node is found."""
    discovery = spec["serviceDiscovery"]
    if "dns" in discovery:
        return (discovery["dns"]["hostname"].rstrip("."),)  # which certificates do not have
    cloud_map = discovery["awsCloudMap"]
    return (f"{cloud_map['serviceName']}.{cloud_map['namespaceName']}",)


def _common(protocol: str, certificate: Place | None) -> CommonTlsContext:
    context = CommonTlsContext(alpn_protocols=["h2"] if protocol in HTTP2_PROTOCOLS else [])
    if certificate is None:
        return context
    kind, place = certificate.only()
    if kind == "file":
        chain, key = (DataSource(filename=place.value[name]) for name in ("certificateChain", "privateKey"))
        context.tls_certificates.append(TlsCertificate(certificate_chain=chain, private_key=key))
    elif kind == "sds":
        context.tls_certificate_sds_secret_configs.append(_secret(place))
    else:
        _refuse(place, "a certificate of ACM cannot be had outside AWS")
    return context


def _trust(context: CommonTlsContext, validation: Place, default_names: Sequence[str]) -> None:
    """Whom to believe, and under which names: an empty list says none. Any name if there is no default either."""
    given = validation.get("subjectAlternativeNames", "match", "exact")
    accepted = [_name_matcher(name) for name in (given.value if given else ()) or default_names]
    kind, place = validation["trust"].only()
    if kind == "file":
        trusted = DataSource(filename=place.value["certificateChain"])
        context.validation_context.CopyFrom(
            CertificateValidationContext(trusted_ca=trusted, match_typed_subject_alt_names=accepted)
        )
    elif kind == "sds":
        both = context.combined_validation_context
        both.default_validation_context.CopyFrom(CertificateValidationContext(match_typed_subject_alt_names=accepted))
        both.validation_context_sds_secret_config.CopyFrom(_secret(place))
    else:
        _refuse(place, "certificate authorities of ACM cannot be had outside AWS")


def _name_matcher(name: str) -> SubjectAltNameMatcher:
    if "://" in name:
        kind = SubjectAltNameMatcher.URI
    else:
        kind = SubjectAltNameMatcher.IP_ADDRESS if is_address(name) else SubjectAltNameMatcher.DNS
    return SubjectAltNameMatcher(san_type=kind, matcher=StringMatcher(exact=name))


def _secret(sds: Place) -> SdsSecretConfig:
    """A secret from the SDS socket that App Mesh's bootstrap gives the proxy as a cluster.

    Raises:
        Unavailable: it has no name.
    """
    if not sds.value["secretName"]:
        _refuse(sds["secretName"], "a secret must have a name")
    source = ApiConfigSource(
        api_type=ApiConfigSource.GRPC,
        transport_api_version=ApiVersion.V3,
        grpc_services=[GrpcService(envoy_grpc=GrpcService.EnvoyGrpc(cluster_name=names.SDS_CLUSTER))],
    )
    config = ConfigSource(api_config_source=source, resource_api_version=ApiVersion.V3)
    return SdsSecretConfig(name=sds.value["secretName"], sds_config=config)


def _refuse(place: Place, message: str) -> NoReturn:
    place.problem(message)
    raise Unavailable(message)
