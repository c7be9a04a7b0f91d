"""What `make audit` makes of pip-audit's report, and what the SBOM names."""

import json
import re
from pathlib import Path

import pytest

from deploy import audit as auditing
from deploy.audit import CLEAN, LOCKS, NOT_ASKED, ROOT, TOOLS, VULNERABLE, audit_of, lines_about, worst, write_sbom

FINE = {"name": "fine", "version": "1", "vulns": []}
BAD = {"name": "bad", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"]}]}
SKIPPED = {"name": "unknown", "skip_reason": "Dependency not found"}


@pytest.mark.parametrize(
    ("dependencies", "code"),
    [
        pytest.param([FINE], CLEAN, id="all asked for"),
        pytest.param([FINE, BAD], VULNERABLE, id="a finding"),
        pytest.param([FINE, SKIPPED], NOT_ASKED, id="one could not be asked for"),
        pytest.param([BAD, SKIPPED], VULNERABLE, id="a finding counts more"),
        pytest.param([], NOT_ASKED, id="nothing was asked"),
    ],
)
def test_the_exit_code_tells_a_finding_from_not_knowing(dependencies, code):
    """pip-audit itself ends with 0 when it could ask for nothing."""
    assert audit_of(json.dumps({"dependencies": dependencies})).code == code


@pytest.mark.parametrize("report", ["", "no JSON", "[]", "{}"])
def test_no_report_is_not_a_good_one(report):
    """As when the service does not answer at all."""
    audit = audit_of(report)
    assert audit.code == NOT_ASKED
    assert "could not be asked for all of the packages" in lines_about("x.txt", audit)[0]


def test_a_finding_is_named_with_its_cure():
    """Package, version, id, and the version that mends it."""
    audit = audit_of(json.dumps({"dependencies": [BAD, FINE, SKIPPED]}))
    assert lines_about("x.txt", audit) == [
        "x.txt: bad 2: PYSEC-1, mended in 2.1",
        "x.txt: the advisory service could not be asked for 1 of the packages: this says nothing",
        "x.txt: 2 packages asked for, 1 vulnerabilities",
    ]


def test_the_worst_of_several_counts():
    """A finding before what is not known before nothing."""
    assert worst([CLEAN, NOT_ASKED]) == NOT_ASKED
    assert worst([NOT_ASKED, VULNERABLE, CLEAN]) == VULNERABLE
    assert worst([CLEAN, CLEAN]) == CLEAN


def test_every_lock_file_is_asked_for():
    """All that are in the project."""
    found = {*ROOT.glob("requirements*.txt"), *ROOT.glob("deploy/**/requirements*.txt")}
    assert {ROOT / lock for lock in LOCKS} == found


@pytest.mark.parametrize(
    ("pip_audit", "cyclonedx"),
    [
        pytest.param("exec sleep 60", "exit 0", id="asking takes too long"),
        pytest.param(f"echo '{json.dumps({'dependencies': [FINE]})}'", "echo lost >&2; exit 1", id="no SBOM"),
    ],
)
def test_what_could_not_be_done_is_told_by_the_exit_code(pip_audit, cyclonedx, tmp_path: Path, monkeypatch, capsys):
    """And in a line; the rest is done."""
    for name, script in {"pip-audit": pip_audit, "cyclonedx-py": cyclonedx}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setattr(auditing, "TOOLS", tmp_path)
    monkeypatch.setattr(auditing, "SBOM", ROOT / "dist" / "unwritten.json")
    monkeypatch.setattr(auditing, "WITHIN_SECONDS", 0.2 if "sleep" in pip_audit else 60)
    assert auditing.main() == NOT_ASKED
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 1 + len(LOCKS)
    assert "could not be" in "\n".join(said)


@pytest.mark.skipif(not (TOOLS / "cyclonedx-py").exists(), reason="make audit makes .venv-tools")
def test_the_sbom_names_every_pinned_package(tmp_path: Path):
    """With its version, as the lock file has it."""
    lock = ROOT / LOCKS[0]
    write_sbom(lock, tmp_path / "sbom.json")
    named = {(each["name"], each["version"]) for each in json.loads((tmp_path / "sbom.json").read_text())["components"]}
    assert named == set(re.findall(r"^([a-z0-9._-]+)(?:\[[^]]+\])?==([^\s;]+)", lock.read_text(), re.MULTILINE))
