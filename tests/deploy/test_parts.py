from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.local import parts
from deploy.local.errors import SettingMissing
from deploy.local.part import Part


def part(name: str, needs: Iterable[str] = ()) -> Part:
    """A part of which only name and needs matter."""
    return Part(name, ("true",), ready=lambda: None, needs=tuple(needs))


@st.composite
def stacks(draw: st.DrawFn) -> list[Part]:
    """Parts that need only earlier ones."""
    names = [f"part-{number}" for number in range(draw(st.integers(1, 8)))]
    found = []
    for index, name in enumerate(names):
        needs = draw(st.lists(st.sampled_from(names[:index]), unique=True)) if index else []
        found.append(part(name, needs))
    return found


@given(stack=stacks())
def test_users_stop_strictly_before_what_they_use(stack: list[Part]):
    """Each part is stopped once, in an earlier group than everything it needs."""
    groups = parts.stop_order(stack)
    position = {part.name: index for index, group in enumerate(groups) for part in group}
    assert sorted(position) == sorted(part.name for part in stack)
    assert all(position[part.name] < position[need] for part in stack for need in part.needs)


@pytest.mark.parametrize(
    ("external", "gone"),
    [
        pytest.param([], set(), id="nothing"),
        pytest.param(["kubernetes"], {"etcd", "kube-apiserver", "injector"}, id="kubernetes"),
        pytest.param(["temporal"], {"temporal"}, id="temporal"),
        pytest.param(["app-mesh"], {"control-plane", "injector"}, id="app-mesh"),
        pytest.param(
            ["app-mesh", "kubernetes", "temporal"],
            {"etcd", "kube-apiserver", "temporal", "control-plane", "injector"},
            id="all",
        ),
    ],
)
def test_external_parts_are_not_chosen(external: list[str], gone: set[str]):
    """What somebody else provides is not started a second time."""
    assert set(parts.chosen(parts.ALL, external)) == set(parts.ALL) - gone


def test_the_parts_have_the_names_of_the_contract():
    """Pid files and logs are found by these names."""
    assert parts.ALL == (
        "etcd",
        "kube-apiserver",
        "temporal",
        "control-plane",
        "cloudmap",
        "watcher",
        "worker",
        "injector",
    )


def test_an_unknown_part_is_refused_with_the_known_ones():
    """A slip of the pen is answered with what could have been meant."""
    with pytest.raises(SettingMissing, match="no part 'apiserver'; the parts are etcd, kube-apiserver"):
        parts.chosen(["apiserver"], [])
