"""The page of the resources tells all that the CRDs hold, and nothing else."""

import re

import pytest

from docs.resources_page import fields_of, resources_page
from resources.crd import MODELS, custom_resource_definition
from resources.kinds import Kind

PAGE = resources_page("")


def schema_of(kind):
    """What the API server is told of a kind."""
    return custom_resource_definition(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]


def walk(path, schema):
    """Path → schema of everything in a schema as Kubernetes gets it."""
    yield path, schema
    for name, inner in schema.get("properties", {}).items():
        yield from walk(f"{path}.{name}", inner)
    if "items" in schema:
        yield from walk(f"{path}[]", schema["items"])
    if "additionalProperties" in schema:
        yield from walk(f"{path}{{}}", schema["additionalProperties"])


def rows(kind, part):
    """Path → cells of the rows of one table of the page."""
    section = PAGE.split(f"### The {part} of a {kind.value}\n")[1].split("\n#")[0]
    cells = [re.split(r" (?<!\\)\| ?", line[2:]) for line in section.splitlines() if line.startswith("| `")]
    return {found[0].strip("`"): found[1:] for found in cells}


@pytest.mark.parametrize("part", ["spec", "status"])
@pytest.mark.parametrize("kind", Kind)
def test_every_field_of_a_crd_has_a_row_and_no_other_has(kind, part):
    """Both directions; items without a name or a bound of their own need no row."""
    fields = dict(walk(part, schema_of(kind)[part]))
    named = {path for path in fields if not path.endswith(("[]", "{}")) and path != part}
    shown = rows(kind, part)
    assert shown.keys() <= fields.keys()
    assert named <= shown.keys()


@pytest.mark.parametrize("kind", Kind)
def test_every_bound_and_meaning_of_a_spec_is_in_its_row(kind):
    """What the API server would refuse can be read beforehand."""
    shown = rows(kind, "spec")
    for path, schema in walk("spec", schema_of(kind)["spec"]):
        if path not in shown:
            continue
        type_, bounds, _, meaning = (cell.replace("\\|", "|") for cell in shown[path][:4])
        for bound in ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "pattern"):
            assert bound not in schema or str(schema[bound]) in bounds, (path, bound)
        assert all(f"`{value}`" in type_ for value in schema.get("enum", ())), path
        assert schema.get("description", "") in meaning, path


@pytest.mark.parametrize("kind", Kind)
def test_every_rule_and_every_required_field_is_told(kind):
    """A rule over several fields is said in the words of the API server's answer."""
    shown = rows(kind, "spec")
    for path, schema in walk("spec", schema_of(kind)["spec"]):
        for rule in schema.get("x-kubernetes-validations", ()):
            assert f"- `{path}`: {rule['message']}." in PAGE
        for name in schema.get("required", ()):
            assert shown[f"{path}.{name}"][2] == "yes", (path, name)


@pytest.mark.parametrize("kind", Kind)
def test_no_field_of_a_spec_has_a_default_that_a_column_would_have_to_tell(kind):
    """Left out means left out; what then applies is said in words. A model that gives a value needs a column."""
    for field in fields_of(MODELS[kind], "spec"):
        default = field.schema.get("default")
        assert default in (None, "", []) or isinstance(default, dict), field.path
