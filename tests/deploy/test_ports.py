import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.local import ports
from deploy.local.errors import PortTaken, SettingMissing


@pytest.fixture
def remembered(tmp_path: Path) -> Path:
    """The file that a DIR keeps its ports in."""
    return tmp_path / "ports.json"


def test_every_name_gets_a_port_of_its_own_that_is_free(remembered: Path):
    """No two names share a number, and a server can listen on each."""
    assigned = ports.assign(remembered, {})
    assert set(assigned) == set(ports.NAMES)
    assert len(set(assigned.values())) == len(ports.NAMES)
    assert all(ports.is_free(number) for number in assigned.values())


def test_ports_stay_the_same_over_restarts(remembered: Path):
    """An address that somebody noted is still right after `down` and `up`."""
    assert ports.assign(remembered, {}) == ports.assign(remembered, {})


def test_a_remembered_port_that_is_taken_is_picked_anew(remembered: Path):
    """Somebody else's server on our old port moves us, and only the port concerned."""
    before = ports.assign(remembered, {})
    with socket.create_server((ports.HOST, before["temporal"])):
        after = ports.assign(remembered, {})
    assert after.pop("temporal") != before.pop("temporal")
    assert after == before


def test_a_wanted_port_wins_over_the_remembered_one(remembered: Path):
    """What was asked for is what one gets, and is remembered in turn."""
    free = ports.assign(remembered, {})["etcd"]
    remembered.unlink()
    assert ports.assign(remembered, {"temporal-ui": free})["temporal-ui"] == free
    assert ports.assign(remembered, {})["temporal-ui"] == free


def test_a_wanted_port_in_use_is_refused_by_name(remembered: Path):
    """Moving an explicitly wanted port would break whoever wanted it."""
    with socket.create_server((ports.HOST, 0)) as server:
        number = server.getsockname()[1]
        with pytest.raises(PortTaken, match=f"port {number}, wanted for temporal-ui, is in use"):
            ports.assign(remembered, {"temporal-ui": number})


def test_an_unknown_port_name_is_refused_with_the_known_ones(remembered: Path):
    """A slip of the pen is answered with what could have been meant."""
    with pytest.raises(SettingMissing, match=r"no port 'temporal_ui'.*temporal-ui"):
        ports.assign(remembered, {"temporal_ui": 8233})


def test_one_number_for_two_ports_is_refused(remembered: Path):
    """Only one of them could listen there; the other would be said to have died."""
    free = ports.assign(remembered, {})["etcd"]
    with pytest.raises(SettingMissing, match=f"port {free} cannot be both temporal and worker-metrics"):
        ports.assign(remembered, {"temporal": free, "etcd": 1, "worker-metrics": free})


@given(
    text=st.text(max_size=40) | st.sampled_from(['{"etcd": "x"}', '{"etcd": 99999, "new": 1}', '{"etcd": 1.5}', "[1]"])
)
def test_a_damaged_memory_is_as_good_as_none(tmp_path_factory: pytest.TempPathFactory, text: str):
    """Whatever is in the file, every name gets a number."""
    remembered = tmp_path_factory.mktemp("ports") / "ports.json"
    remembered.write_text(text)
    assert set(ports.assign(remembered, {})) == set(ports.NAMES)
