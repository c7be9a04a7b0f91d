import pytest

from control_plane.api.quotas import Quotas, UnusableQuotas


def test_some_quotas_can_be_changed_and_the_others_stay():
    """A file names only what differs from App Mesh's defaults."""
    assert Quotas.from_mapping({"meshes": 1000}) == Quotas(meshes=1000)
    assert Quotas.from_mapping({}) == Quotas()


@pytest.mark.parametrize(
    ("values", "says"),
    [
        pytest.param({"mesh": 1}, "unknown quota 'mesh'; there is meshes, ", id="unknown name"),
        pytest.param({"meshes": "many"}, "quota meshes: expected a whole number, got 'many'", id="word"),
        pytest.param({"meshes": -1}, "quota meshes", id="negative"),
        pytest.param({"meshes": True}, "quota meshes", id="bool"),
        pytest.param({"meshes": 1.5}, "quota meshes", id="fraction"),
    ],
)
def test_an_unusable_quota_is_named(values, says):
    """Whoever wrote the file learns which line is wrong."""
    with pytest.raises(UnusableQuotas, match=says):
        Quotas.from_mapping(values)
