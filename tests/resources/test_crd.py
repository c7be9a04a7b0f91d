"""The CustomResourceDefinitions: fresh, structural, and of the same mind as the models."""

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from pydantic import BaseModel

from deploy.generate import crd_files, main, stale_files
from resources.crd import custom_resource_definition
from resources.kinds import Kind
from resources.schema import structural_schema
from tests.bad_inputs import APP_MESH, MESHWRIGHT, SCHEMA
from tests.resources import strategies

# Every field of a spec or status, under its JSON name. Clusters hold objects with these names: add, but never rename.
FIELDS = {
    Kind.MESH: """
        spec.egressFilter.type
        spec.serviceDiscoveryType spec.cloudMapNamespaceName
        status.meshArn
        status.meshCondition[].type status.meshCondition[].status status.meshCondition[].lastTransitionTime
        status.meshCondition[].reason status.meshCondition[].message
    """,
    Kind.VIRTUAL_NODE: """
        spec.meshName
        spec.listeners[].portMapping.port spec.listeners[].portMapping.protocol
        spec.listeners[].healthCheck.healthyThreshold spec.listeners[].healthCheck.intervalMillis
        spec.listeners[].healthCheck.path spec.listeners[].healthCheck.port spec.listeners[].healthCheck.protocol
        spec.listeners[].healthCheck.timeoutMillis spec.listeners[].healthCheck.unhealthyThreshold
        spec.listeners[].tls.mode
        spec.listeners[].tls.certificate.acm.certificateArn
        spec.listeners[].tls.certificate.file.certificateChain spec.listeners[].tls.certificate.file.privateKey
        spec.serviceDiscovery.dns.hostName
        spec.serviceDiscovery.cloudMap.serviceName spec.serviceDiscovery.cloudMap.namespaceName
        spec.serviceDiscovery.cloudMap.attributes{}
        spec.backends[].virtualService.virtualServiceName
        spec.backends[].virtualService.clientPolicy.tls.enforce
        spec.backends[].virtualService.clientPolicy.tls.ports[]
        spec.backends[].virtualService.clientPolicy.tls.validation.trust.acm.certificateAuthorityArns[]
        spec.backends[].virtualService.clientPolicy.tls.validation.trust.file.certificateChain
        spec.backendDefaults.clientPolicy.tls.enforce spec.backendDefaults.clientPolicy.tls.ports[]
        spec.backendDefaults.clientPolicy.tls.validation.trust.acm.certificateAuthorityArns[]
        spec.backendDefaults.clientPolicy.tls.validation.trust.file.certificateChain
        spec.logging.accessLog.file.path
        status.meshArn status.virtualNodeArn
        status.conditions[].type status.conditions[].status status.conditions[].lastTransitionTime
        status.conditions[].reason status.conditions[].message
        status.cloudmapService.serviceId status.cloudmapService.namespaceId
    """,
    Kind.VIRTUAL_SERVICE: """
        spec.meshName
        spec.virtualRouter.name
        spec.virtualRouter.listeners[].portMapping.port spec.virtualRouter.listeners[].portMapping.protocol
        spec.routes[].name spec.routes[].priority
        spec.routes[].http.match.prefix spec.routes[].http.match.method spec.routes[].http.match.scheme
        spec.routes[].http.match.headers[].name spec.routes[].http.match.headers[].invert
        spec.routes[].http.match.headers[].match.exact spec.routes[].http.match.headers[].match.prefix
        spec.routes[].http.match.headers[].match.suffix spec.routes[].http.match.headers[].match.regex
        spec.routes[].http.match.headers[].match.range.start spec.routes[].http.match.headers[].match.range.end
        spec.routes[].http.action.weightedTargets[].virtualNodeName
        spec.routes[].http.action.weightedTargets[].weight
        spec.routes[].http.retryPolicy.perRetryTimeoutMillis spec.routes[].http.retryPolicy.maxRetries
        spec.routes[].http.retryPolicy.httpRetryEvents[] spec.routes[].http.retryPolicy.tcpRetryEvents[]
        spec.routes[].http2.match.prefix spec.routes[].http2.action.weightedTargets[].weight
        spec.routes[].http2.retryPolicy.maxRetries
        spec.routes[].tcp.action.weightedTargets[].virtualNodeName spec.routes[].tcp.action.weightedTargets[].weight
        spec.routes[].grpc.match.serviceName spec.routes[].grpc.match.methodName
        spec.routes[].grpc.match.metadata[].name spec.routes[].grpc.match.metadata[].invert
        spec.routes[].grpc.match.metadata[].match.exact spec.routes[].grpc.match.metadata[].match.range.start
        spec.routes[].grpc.action.weightedTargets[].weight
        spec.routes[].grpc.retryPolicy.perRetryTimeoutMillis spec.routes[].grpc.retryPolicy.maxRetries
        spec.routes[].grpc.retryPolicy.httpRetryEvents[] spec.routes[].grpc.retryPolicy.tcpRetryEvents[]
        spec.routes[].grpc.retryPolicy.grpcRetryEvents[]
        status.virtualServiceArn status.virtualRouterArn status.routeArns[]
        status.conditions[].type status.conditions[].status status.conditions[].lastTransitionTime
        status.conditions[].reason status.conditions[].message
    """,
}


def object_schema(kind: Kind) -> dict[str, Any]:
    """The schema of a kind's only version."""
    (version,) = custom_resource_definition(kind)["spec"]["versions"]
    schema: dict[str, Any] = version["schema"]["openAPIV3Schema"]
    return schema


def nodes(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema in a schema, with its path."""
    yield path, schema
    for name, field in schema.get("properties", {}).items():
        yield from nodes(field, f"{path}.{name}" if path else name)
    if "items" in schema:
        yield from nodes(schema["items"], f"{path}[]")
    if "additionalProperties" in schema:
        yield from nodes(schema["additionalProperties"], f"{path}{{}}")


EVERYTHING = [
    pytest.param(path, node, id=f"{kind}:{path}") for kind in Kind for path, node in nodes(object_schema(kind))
]


def test_the_committed_files_are_fresh():
    """What is in deploy/crds is what the models say; if this fails, run `make generate`."""
    assert stale_files(crd_files()) == []
    assert main(["--check"]) == 0


def test_the_generator_writes_what_is_missing(tmp_path, monkeypatch, capsys):
    """It names each file it writes, and has nothing to do the second time."""
    monkeypatch.setattr("deploy.generate.crd_files", lambda: crd_files(tmp_path / "crds"))
    assert main(["--check"]) == 1
    assert main([]) == 0
    assert sorted(path.name for path in (tmp_path / "crds").iterdir()) == [
        "appmesh.k8s.aws_meshes.yaml",
        "appmesh.k8s.aws_virtualnodes.yaml",
        "appmesh.k8s.aws_virtualservices.yaml",
    ]
    capsys.readouterr()
    assert main([]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("kind", list(Kind))
def test_fields_keep_their_json_names(kind):
    """Every field that a cluster may hold is in the schema, or it would be pruned away."""
    known = {path for path, _ in nodes(object_schema(kind))}
    assert set(FIELDS[kind].split()) <= known


@pytest.mark.parametrize(("path", "schema"), EVERYTHING)
def test_every_schema_is_structural_and_bounded(path, schema):
    """Each has a type and defaults nothing; strings and lists have a limit, which the cost of CEL rules depends on."""
    assert schema["type"] in ("object", "array", "string", "integer", "boolean")
    assert "default" not in schema
    assert "nullable" not in schema
    if path.startswith("spec"):
        limited = {"string": ("maxLength", "enum"), "array": ("maxItems",), "integer": ("maximum",)}
        assert any(keyword in schema for keyword in limited.get(schema["type"], schema))
        assert ("additionalProperties" in schema) == ("maxProperties" in schema)


@pytest.mark.parametrize(("path", "schema"), EVERYTHING)
def test_every_field_is_explained(path, schema):
    """`kubectl explain` has a sentence for each field; items and the object's own bookkeeping need none."""
    if path not in ("apiVersion", "kind", "metadata") and not path.endswith(("[]", "{}")):
        assert schema["description"].endswith(".")


@pytest.mark.parametrize("kind", list(Kind))
def test_kubectl_get_shows_whether_and_why(kind):
    """Columns: the mesh, active, reason, age; a Mesh keeps its conditions where older controllers put them."""
    (version,) = custom_resource_definition(kind)["spec"]["versions"]
    columns = {column["name"]: column["jsonPath"] for column in version["additionalPrinterColumns"]}
    mesh = [] if kind is Kind.MESH else ["Mesh"]
    assert list(columns) == [*mesh, "Active", "Reason", "Message", "Age"]
    where = "meshCondition" if kind is Kind.MESH else "conditions"
    assert columns["Active"] == f'.status.{where}[?(@.type=="{kind}Active")].status'
    assert version["subresources"] == {"status": {}}


@pytest.mark.parametrize("kind", list(Kind))
def test_resources_are_listed_with_all(kind):
    """`kubectl get all` and `kubectl get appmesh` show them; a Mesh spans the cluster."""
    spec = custom_resource_definition(kind)["spec"]
    assert spec["names"]["categories"] == ["all", "appmesh"]
    assert spec["scope"] == ("Cluster" if kind is Kind.MESH else "Namespaced")


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in SCHEMA if not case.by_rule])
def test_the_schema_refuses_what_the_models_refuse(case):
    """Bounds are the same on both sides, and so is the field that is blamed."""
    errors = jsonschema.Draft202012Validator(object_schema(Kind(case.manifest["kind"]))).iter_errors(case.manifest)
    assert case.field in {blamed(error) for error in errors}


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=case.id) for case in (*SCHEMA, *MESHWRIGHT, *APP_MESH) if case.refused_by != "schema"],
)
def test_the_schema_leaves_to_others_what_is_theirs(case):
    """An object that another refuses is stored, so that its condition can say why."""
    jsonschema.validate(case.manifest, object_schema(Kind(case.manifest["kind"])))


def blamed(error: jsonschema.ValidationError) -> str:
    """The path of the field at fault, as the API server writes it."""
    path = error.json_path.removeprefix("$.")
    missing = error.message.split("'")[1] if error.validator == "required" else None
    return f"{path}.{missing}" if missing else path


def without_nulls(value: Any) -> Any:
    """The value as the API server sees it: it prunes nulls before it validates."""
    if isinstance(value, dict):
        return {key: without_nulls(member) for key, member in value.items() if member is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


@given(manifest=strategies.meshes() | strategies.virtual_nodes() | strategies.virtual_services())
def test_the_schema_accepts_what_the_models_accept(manifest):
    """Whatever is valid for the one is valid for the other."""
    jsonschema.validate(without_nulls(manifest), object_schema(Kind(manifest["kind"])))


class Pair(BaseModel):
    """A model with a field that Kubernetes has no schema for."""

    either: int | str


def test_a_field_of_several_types_is_refused_by_the_generator():
    """Better no CRD than one that accepts anything."""
    with pytest.raises(ValueError, match="several types"):
        structural_schema(Pair)


class Positive(BaseModel):
    """A model with a bound that Kubernetes does not know."""

    fields: frozenset[int]


def test_an_unknown_keyword_is_refused_by_the_generator():
    """A bound that would be lost on the way is an error, not a silence."""
    with pytest.raises(ValueError, match="uniqueItems"):
        structural_schema(Positive)
