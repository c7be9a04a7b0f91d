"""Where a setting's value comes from, and what is said when it cannot be used."""

import pytest

from cli.settings import SettingsError, load


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch):
    """No setting from the developer's own shell."""
    for name in ("TEMPORAL_ADDRESS", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL_APP_MESH"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def settings_file(tmp_path, monkeypatch):
    """Writes a settings file and points the environment at it."""

    def write(text):
        path = tmp_path / "settings.yaml"
        path.write_text(text)
        monkeypatch.setenv("MESHWRIGHT_CONFIG", str(path))

    return write


def test_the_default_holds_when_nothing_is_said():
    """Defaults are in the model alone."""
    assert load().task_queue == "meshwright"


def test_the_file_wins_over_the_default(settings_file):
    """Names are those of the flags, with underscores."""
    settings_file("task_queue: mesh\napp_mesh_writes_per_second: 8\n")
    assert (load().task_queue, load().app_mesh_writes_per_second) == ("mesh", 8)


def test_the_environment_wins_over_the_file(settings_file, monkeypatch):
    """For names of ours and for standard ones alike."""
    settings_file("task_queue: mesh\ntemporal_address: file:1\n")
    monkeypatch.setenv("MESHWRIGHT_TASK_QUEUE", "other")
    monkeypatch.setenv("TEMPORAL_ADDRESS", "environment:2")
    assert (load().task_queue, load().temporal_address) == ("other", "environment:2")


def test_a_flag_wins_over_everything(settings_file, monkeypatch):
    """None stands for a flag that was not given."""
    settings_file("task_queue: mesh\n")
    monkeypatch.setenv("MESHWRIGHT_TASK_QUEUE", "other")
    monkeypatch.setenv("TEMPORAL_ADDRESS", "environment:2")
    loaded = load({"task_queue": "flag", "temporal_address": "flag:3", "cluster": None})
    assert (loaded.task_queue, loaded.temporal_address, loaded.cluster) == ("flag", "flag:3", "default")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("task_qeue: mesh\n", "unknown setting 'task_qeue'", id="misspelt"),
        pytest.param("- task_queue\n", "expected names and values", id="a-list"),
        pytest.param("task_queue: [", "settings.yaml", id="not-yaml"),
        pytest.param("app_mesh_writes_per_second: fast\n", "app_mesh_writes_per_second", id="not-a-number"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_what_is_wrong(settings_file, text, message):
    """The message names file or setting."""
    settings_file(text)
    with pytest.raises(SettingsError, match=message):
        load()


def test_a_value_that_cannot_be_used_is_named(monkeypatch):
    """The message carries the setting and the value."""
    monkeypatch.setenv("MESHWRIGHT_CLUSTER", "Not A Name")
    with pytest.raises(SettingsError, match=r"cluster.*Not A Name"):
        load()


def test_a_settings_file_that_is_not_there_is_named(monkeypatch, tmp_path):
    """The path is in the message."""
    monkeypatch.setenv("MESHWRIGHT_CONFIG", str(tmp_path / "none.yaml"))
    with pytest.raises(SettingsError, match=r"none\.yaml"):
        load()
