"""Golden tests of translation: what App Mesh is asked for, for every example and for the corners that examples lack.

The inputs are manifests (`examples/*/manifest.yaml`, `golden/*.manifest.yaml`), the outputs `golden/*.requests.yaml`.
"""

from pathlib import Path

import pytest
import yaml

from tests.resources.requests import requests_for

HERE = Path(__file__).parent
GOLDEN = HERE / "golden"
EXAMPLES = HERE.parents[1] / "examples"

INPUTS = {f"example-{path.parent.name}": path for path in sorted(EXAMPLES.glob("*/manifest.yaml"))} | {
    path.name.removesuffix(".manifest.yaml"): path for path in sorted(GOLDEN.glob("*.manifest.yaml"))
}


@pytest.mark.parametrize("name", list(INPUTS))
def test_requests_are_those_of_the_golden_file(name, golden):
    """The whole request, field by field, under App Mesh's names: a change here is a change to live meshes."""
    manifests = list(yaml.safe_load_all(INPUTS[name].read_text(encoding="utf-8")))
    text = yaml.safe_dump_all(requests_for(manifests), sort_keys=False, explicit_start=True)
    golden.check(GOLDEN / f"{name}.requests.yaml", text)


def test_no_golden_file_is_left_over():
    """A golden file without its input would rot unseen."""
    assert {path.name.removesuffix(".requests.yaml") for path in GOLDEN.glob("*.requests.yaml")} == set(INPUTS)
