"""What annotations may say, and what is said of those that cannot be read."""

from decimal import Decimal

import pytest

from injector import annotations, quantities
from injector.annotations import ANNOTATIONS, BadAnnotation, read
from injector.forms import Mount
from resources.pods import MESH_ANNOTATION


def test_every_annotation_that_is_read_or_written_is_in_the_reference():
    """And the reference has no other."""
    named = {value for name, value in vars(annotations).items() if name.isupper() and isinstance(value, str)}
    assert {entry.name for entry in ANNOTATIONS} == {name for name in named if name.startswith("appmesh.k8s.aws/")}


def test_what_is_not_said_is_left_to_the_settings():
    """No annotation, no wish."""
    assert read({}) == annotations.Asked()


def test_the_forms_that_older_injectors_took_are_taken():
    """Blanks around names, `true` for the preview, a port twice."""
    asked = read(
        {
            annotations.SECRET_MOUNTS: "a:/a, b.c:/b",
            annotations.PREVIEW: "true",
            annotations.PORTS: "8080, 9090,8080",
            annotations.IGNORED_PORTS: "",
            annotations.SIDECAR_ENV: "A=1=2, B=",
        }
    )
    assert asked.secret_mounts == (Mount("a", "/a"), Mount("b.c", "/b"))
    assert asked.preview
    assert (asked.ports, asked.ignored_ports) == ((8080, 9090), ())
    assert asked.environment == {"A": "1=2", "B": ""}


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        pytest.param(annotations.SWITCH, "yes", "must be enabled or disabled", id="switch"),
        pytest.param(annotations.CPU_REQUEST, "lots", "is not a quantity, such as 250m or 64Mi", id="quantity"),
        pytest.param(annotations.MEMORY_LIMIT, "-1Mi", "is not a quantity", id="negative"),
        pytest.param(annotations.MEMORY_LIMIT, "99999E", "more than Kubernetes can count", id="too-much"),
        pytest.param(annotations.PORTS, "http", "is not a list of ports", id="port-by-name"),
        pytest.param(annotations.PORTS, "65536", "is not a list of ports", id="port-too-high"),
        pytest.param(annotations.IGNORED_IPS, "example.com", "is not a list of addresses", id="host-name"),
        pytest.param(annotations.SECRET_MOUNTS, "certificate", "is not a list of NAME:PATH", id="mount-without-path"),
        pytest.param(annotations.SECRET_MOUNTS, "a:b/c", "is not a list of NAME:PATH", id="relative-path"),
        pytest.param(annotations.SECRET_MOUNTS, "a:/x,b:/x", "mounts two things at one path", id="one-path-twice"),
        pytest.param(annotations.SIDECAR_ENV, "A", "is not a list of NAME=value", id="variable-without-value"),
        pytest.param(annotations.SIDECAR_ENV, "A B=1", "other characters than", id="name-of-a-variable"),
        pytest.param(
            annotations.SIDECAR_ENV,
            "APPMESH_VIRTUAL_NODE_NAME=x",
            "the annotation appmesh.k8s.aws/virtualNode",
            id="id",
        ),
        pytest.param(annotations.SIDECAR_ENV_JSON, "[1]", "is not a JSON object of texts", id="json"),
        pytest.param(MESH_ANNOTATION, "a/b", "is not a name", id="mesh"),
    ],
)
def test_a_value_that_cannot_be_read_is_named_with_its_annotation(name: str, value: str, problem: str):
    """So that whoever wrote it can find it."""
    with pytest.raises(BadAnnotation) as caught:
        (annotations.switch if name == annotations.SWITCH else read)({name: value})
    assert str(caught.value).startswith(f"annotation {name}: {value!r} ")
    assert problem in str(caught.value)


def test_a_long_value_is_cut():
    """Warnings have little room."""
    with pytest.raises(BadAnnotation) as caught:
        read({annotations.PORTS: "x" * 5000})
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("text", "amount"),
    [("100m", "0.1"), ("1", "1"), (".5", "0.5"), ("2.", "2"), ("1Ki", "1024"), ("1k", "1000"), ("1e3", "1000")],
)
def test_a_quantity_is_what_kubernetes_takes_it_for(text: str, amount: str):
    """Decimal and binary suffixes, exponents, numbers that begin or end with a point."""
    assert quantities.parse(text) == Decimal(amount)
