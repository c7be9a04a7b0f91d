"""The lock files, as pip reads them: what it would have to look up is what it refuses on the day of a new release."""

import base64
import hashlib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.deploy.installing import ROOT

ENVIRONMENT = {**{name: str(value) for name, value in default_environment().items()}, "extra": ""}


def pin_lines(text: str) -> list[str]:
    """The line of a lock file that begins each pin; its hashes follow it."""
    return [line for line in text.splitlines() if line[:1].isalnum()]


def pins(lock: str) -> dict[str, set[str]]:
    """The extras that a lock file names, by the package that it pins."""
    pinned = [Requirement(line.removesuffix("\\")) for line in pin_lines((ROOT / lock).read_text())]
    return {canonicalize_name(each.name): each.extras for each in pinned}


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-dev.txt"])
def test_an_extra_that_a_pinned_package_asks_for_is_pinned_with_it(lock: str):
    """Pip takes `coverage[toml]` for another requirement than `coverage`, and has no hash for what it finds."""
    extras = pins(lock)
    asked = [
        (name, requirement)
        for name in extras
        for requirement in map(Requirement, requires_of(name))
        if requirement.extras and (requirement.marker is None or requirement.marker.evaluate(ENVIRONMENT))
    ]
    assert [
        f"{name} asks for {each}" for name, each in asked if not each.extras <= extras[canonicalize_name(each.name)]
    ] == []


def requires_of(name: str) -> list[str]:
    """What an installed package requires; nothing for one that is for another system or Python."""
    try:
        return metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return []


def test_every_pin_has_a_hash_and_no_lock_names_a_host():
    """So that any index will do, and none can put something else in its place."""
    for lock in (
        "requirements.txt",
        "requirements-dev.txt",
        "requirements-last.txt",
        "requirements-tools.txt",
        "deploy/image/requirements-build.txt",
    ):
        text = (ROOT / lock).read_text()
        assert "://" not in text
        assert pin_lines(text), lock
        assert all(line.endswith("\\") for line in pin_lines(text)), lock


def test_a_path_that_two_packages_bring_has_the_file_of_the_one_that_is_installed_last():
    """Pip says nothing of it: what it happens to write later wins, and it need not be what fits."""
    last = pins("requirements-last.txt")
    owners: dict[str, set[str]] = {}
    for package in pins("requirements-dev.txt"):
        for file in files_of(package):
            if file.size:
                owners.setdefault(str(file), set()).add(package)
    shared = {path: packages for path, packages in owners.items() if len(packages) > 1}
    assert {package for packages in shared.values() for package in packages & last.keys()} == last.keys()
    assert [path for path, packages in shared.items() if not packages & last.keys()] == []
    wrong = [str(file) for name in last for file in files_of(name) if file.hash and digest(file) != file.hash.value]
    assert wrong == []


def test_what_is_installed_last_is_what_the_lock_file_has():
    """Or a second install would change a version."""
    first, last = (
        dict(line.split(" ")[0].split("==") for line in pin_lines((ROOT / lock).read_text()))
        for lock in ("requirements.txt", "requirements-last.txt")
    )
    assert last.items() <= first.items()


def files_of(package: str) -> list[metadata.PackagePath]:
    """What an installed package has written, as it said itself; nothing for one that is for another system."""
    try:
        return metadata.files(package) or []
    except metadata.PackageNotFoundError:
        return []


def digest(file: metadata.PackagePath) -> str:
    """As a RECORD has it."""
    return base64.urlsafe_b64encode(hashlib.sha256(Path(file.locate()).read_bytes()).digest()).rstrip(b"=").decode()
