"""Answers for programs."""

import json
from enum import StrEnum

import pytest
import yaml
from typer.testing import CliRunner

from cli.main import app
from cli.structured import structured


class Colour(StrEnum):
    """A member of an enumeration is text to a program."""

    RED = "red"


ANSWER = {"colours": (Colour.RED, None), "count": 2, "said": "é: no"}
PLAIN = {"colours": ["red", None], "count": 2, "said": "é: no"}


@pytest.mark.parametrize(("output", "read"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_both_languages_say_the_same(output, read):
    """And end without a line's end, which printing adds."""
    text = structured(ANSWER, output)
    assert read(text) == PLAIN
    assert text == text.rstrip()


@pytest.mark.parametrize(("output", "read"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_what_validate_found_is_an_answer_for_programs(tmp_path, output, read):
    """With the severity as a word."""
    file = tmp_path / "mesh.yaml"
    file.write_text("apiVersion: appmesh.k8s.aws/v1beta1\nkind: Mesh\nmetadata: {name: m}\nspec: {colour: red}\n")
    done = CliRunner().invoke(app, ["validate", "-f", str(file), "-o", output])
    found = read(done.stdout)
    assert [each["severity"] for each in found]
    assert all(type(each["severity"]) is str for each in found)
