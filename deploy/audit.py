"""Ask for known vulnerabilities of every pinned Python package, and write down what the product is made of (an SBOM).

What the local stack builds from Go (deploy/local/toolchain/modules) is not asked for; none of it is in our image.

python -m deploy.audit    exit code 0: all were asked for, none has one; 1: some have; 3: some could not be asked for,
                          or the SBOM could not be written

`pip-audit` alone says "no known vulnerabilities" and ends with 0 when the advisory service knows none of the packages,
as behind a mirror that has no advisories. So what it could not ask for is counted here.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
TOOLS = ROOT / ".venv-tools" / "bin"
LOCKS = (
    "requirements.txt",
    "requirements-last.txt",
    "deploy/image/requirements-build.txt",
    "requirements-dev.txt",
    "requirements-tools.txt",
)
"""The product's first: the SBOM is made of that."""
SBOM = ROOT / "dist" / "meshwright.cdx.json"

WITHIN_SECONDS = 600.0

CLEAN, VULNERABLE, NOT_ASKED = 0, 1, 3


@dataclass(frozen=True)
class Audit:
    """What is known of the packages of one lock file."""

    asked: int
    findings: tuple[str, ...]
    skipped: tuple[str, ...]

    @property
    def code(self) -> int:
        """The exit code that says it; a finding counts more than what is not known."""
        if self.findings:
            return VULNERABLE
        return NOT_ASKED if self.skipped or not self.asked else CLEAN


def audit_of(report: str) -> Audit:
    """What a report of `pip-audit --format json` says; one that is none says that nothing was asked for."""
    try:
        dependencies: list[dict[str, Any]] = json.loads(report)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return Audit(0, (), ())
    skipped = tuple(each["name"] for each in dependencies if "skip_reason" in each)
    findings = tuple(
        f"{each['name']} {each['version']}: {vulnerability['id']}"
        + (f", mended in {', '.join(versions)}" if (versions := vulnerability.get("fix_versions")) else "")
        for each in dependencies
        for vulnerability in each.get("vulns", ())
    )
    return Audit(len(dependencies) - len(skipped), findings, skipped)


def lines_about(lock: str, audit: Audit) -> list[str]:
    """What a person is told of it."""
    lines = [f"{lock}: {finding}" for finding in audit.findings]
    if audit.skipped or not audit.asked:
        number = str(len(audit.skipped)) if audit.skipped else "all"
        lines.append(f"{lock}: the advisory service could not be asked for {number} of the packages: this says nothing")
    if audit.asked:
        lines.append(f"{lock}: {audit.asked} packages asked for, {len(audit.findings)} vulnerabilities")
    return lines


def worst(codes: Sequence[int]) -> int:
    """The exit code over several lock files."""
    return VULNERABLE if VULNERABLE in codes else max(codes, default=CLEAN)


def asked(lock: Path) -> Audit:
    """Ask for every package of a lock file; nothing is installed. Without an answer, nothing is known."""
    options = ["--require-hashes", "--disable-pip", "--format", "json", "--progress-spinner", "off", "--requirement"]
    try:
        ended = subprocess.run(
            [TOOLS / "pip-audit", *options, lock], capture_output=True, text=True, timeout=WITHIN_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return Audit(0, (), ())
    return audit_of(ended.stdout)


def write_sbom(lock: Path, file: Path) -> None:
    """Write what a lock file pins as CycloneDX; the same lock file gives the same bytes.

    Raises:
        subprocess.CalledProcessError: its maker could not; `stderr` says why.
    """
    file.parent.mkdir(exist_ok=True)
    project = ("--pyproject", ROOT / "pyproject.toml", "--output-reproducible")
    subprocess.run(
        [TOOLS / "cyclonedx-py", "requirements", *project, "--output-file", file, lock],
        check=True,
        capture_output=True,
        text=True,
    )


def main() -> int:
    """Ask for all, and write the SBOM."""
    codes = []
    try:
        write_sbom(ROOT / LOCKS[0], SBOM)
        sys.stdout.write(f"wrote {SBOM.relative_to(ROOT)}\n")
    except subprocess.CalledProcessError as error:
        sys.stdout.write(f"the SBOM could not be written: {error.stderr.strip()}\n")
        codes.append(NOT_ASKED)
    for lock in LOCKS:
        audit = asked(ROOT / lock)
        codes.append(audit.code)
        sys.stdout.writelines(f"{line}\n" for line in lines_about(lock, audit))
        sys.stdout.flush()
    return worst(codes)


if __name__ == "__main__":
    sys.exit(main())
