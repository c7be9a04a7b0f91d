"""What becomes of pods as people write them, kept as files."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from injector.configuration import Flavour, Unmatched
from injector.decision import decide
from injector.directory import Directory
from tests.golden import Golden
from tests.injector.applying import applied
from tests.injector.cases import CASES, CONFIGURATION, NAMESPACE, NODES, Case

FOLDER = Path(__file__).parent / "golden"
READ = {"unmatched": Unmatched, "flavour": Flavour}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_pod_becomes_what_its_file_says(case: Case, golden: Golden):
    """Outcome, what its owner hears, and the pod as it is stored."""
    settings: Any = {name: READ.get(name, lambda value: value)(value) for name, value in case.settings.items()}
    verdict = decide(case.pod, NAMESPACE, replace(CONFIGURATION, **settings), Directory(NODES))
    shown: dict[str, Any] = {"outcome": verdict.outcome.value}
    shown |= {"warnings": list(verdict.warnings)} if verdict.warnings else {}
    shown |= {"refusal": verdict.refusal} if verdict.refusal else {}
    shown |= {"pod": applied(case.pod, verdict.patch)} if verdict.patch else {}
    shown = json.loads(json.dumps(shown))  # no aliases in the YAML
    golden.check(FOLDER / f"{case.name}.yaml", yaml.safe_dump(shown, sort_keys=False, width=120))


def test_each_case_has_one_file():
    """A file without a case would look like a promise."""
    assert {path.stem for path in FOLDER.glob("*.yaml")} == {case.name for case in CASES}
