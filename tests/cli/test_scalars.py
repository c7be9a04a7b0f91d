"""YAML as kubectl reads it. What is expected here was said by `sigs.k8s.io/yaml` 1.6.0, with go-yaml 2.4.3."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cli.manifests import UnreadableManifest, parse
from cli.scalars import scalar
from cli.structured import as_yaml
from tests.cli.test_validate import MESH, NODE, said

TRUTHS = ["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"]
LIES = ["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"]
NOTHING = ["", "~", "null", "Null", "NULL"]
NUMBERS: dict[str, float] = (
    {"0": 0, "-0": 0, "+1": 1, "-1": -1, "00": 0, "017": 15, "-017": -15, "0o17": 15, "0_7": 7, "08": 8, "089": 89}
    | {"0x1F": 31, "0X1f": 31, "+0x1": 1, "0x_1": 1, "0b101": 5, "0B11": 3, "-0b1": -1, "1_000": 1000, "1_": 1}
    | {"1.": 1, "1.0": 1, "1e3": 1000, "1E3": 1000, "12e03": 12000, "-.5": -0.5, ".5": 0.5, ".1_0": 0.1, "1._5": 1.5}
    | {"0123.5": 123.5, "685.230_15e+03": 685230.15, "18446744073709551615": 2**64 - 1, "9" * 23: 1e23}
)
TAGGED = (
    {"!!str 5": "5", '!!int "5"': 5, "!!float 5": 5, "!!bool yes": True, "!!binary YQ==": "a", '"yes"': "yes"}
    | {"!foo bar": "bar", "!foo {b: 1}": {"b": 1}, "!foo [y]": [True], "!!timestamp 2020-01-01": "2020-01-01"}
    | {"!!set {x, b}": {"x": None, "b": None}, "!!omap [x: 1]": [{"x": 1}], "'017'": "017"}
)
STRINGS = [
    *["12:30", "1:30:45", "-1:30", "190:20:30.15", "2020-01-01", "2001-12-14t21:59:43.10-05:00", "1.2.3", "=", "<<"],
    *["tRUE", "oN", "nULL", "_1", "0x", "0b", "0b2", "0o8", "0x1p4", ".", "+", "._1", "1e", "1e+", "1e1000", "nan"],
    *["Infinity", ".1_", "\u0661", "\u00b2"],
]


def read(text: str) -> object:
    """What a file with this one value says."""
    [manifest] = parse("f.yaml", f"a: {text}\n")
    return manifest.object["a"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((text, True) for text in TRUTHS),
        *((text, False) for text in LIES),
        *((text, None) for text in NOTHING),
        *NUMBERS.items(),
        *((text, text) for text in STRINGS),
        *TAGGED.items(),
    ],
)
def test_a_value_is_what_kubectl_would_send(text: str, value: object) -> None:
    """The same value, of the same type."""
    found = read(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("text", [".inf", "-.Inf", "+.INF", ".nan", ".NaN", ".NAN"])
def test_what_json_has_no_number_for_is_found_fault_with(text: str) -> None:
    """Kubectl sends nothing then."""
    assert isinstance(scalar(text), float)
    [wrong] = said(MESH.replace("spec: {}", f"spec: {{egressFilter: {text}}}"))
    assert "is no number that JSON has" in wrong


@pytest.mark.parametrize(
    ("key", "name"),
    [("yes", "true"), ("12:30", "12:30"), ("1.5", "1.5"), ("1e3", "1000"), ("017", "15"), ("1e20", "1e+20")],
)
def test_a_name_is_what_kubectl_would_send(key: str, name: str) -> None:
    """Numbers and truths name fields, in one form."""
    [manifest] = parse("f.yaml", f"{key}: 1\n")
    assert manifest.object == {name: 1}


def test_times_and_versions_are_annotations_as_they_are_to_kubectl() -> None:
    """And a truth is none."""
    fine = NODE.replace("namespace: prod", "namespace: prod\n  annotations: {at: 12:30, of: 1.2.3, on: x}")
    assert said(f"{MESH}---\n{fine}") == []
    [wrong] = said(f"{MESH}---\n{fine.replace('12:30', 'y')}")
    assert "metadata.annotations[at]: must be a string, got true" in wrong


WORDS = st.sampled_from([*TRUTHS, *LIES, *NOTHING, *NUMBERS, *STRINGS])


@given(st.text() | WORDS | st.from_regex(r"[-+.0-9xobe_:]{1,6}", fullmatch=True))
def test_what_is_written_says_the_same_to_both(text: str) -> None:
    """To kubectl, and to readers of YAML 1.1 such as PyYAML: names, `1e3` and `n` among them, stay strings."""
    written = as_yaml({"a": text, text: 1})
    try:
        [manifest] = parse("f.yaml", written)
    except UnreadableManifest:
        assert "\\ud" in written.lower()
        return
    assert manifest.object == yaml.safe_load(written) == {"a": text, text: 1}
