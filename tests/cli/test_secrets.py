"""No message about a setting that cannot be used shows a secret: each of these has a mark, which must not come out."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.settings import SettingsError, load
from control_plane.store.database import Database
from control_plane.store.errors import StoreError

MARK = "s3cr3tMARK"
NOWHERE = "127.0.0.1:1"

URLS = [
    pytest.param(f"postgresql://u:{MARK}@{NOWHERE}/db", id="password"),
    pytest.param(f"postgresql://u@{NOWHERE}/db?password={MARK}", id="password as an option"),
    pytest.param(f"postgresql://u:{MARK}@h:port/db", id="a port that is no number"),
    pytest.param(f"postgresql://u:{MARK}@[::1/db", id="a bracket that is not closed"),
    pytest.param(f"postgresql://u:{MARK}@{NOWHERE}/db?bogus={MARK}", id="an unknown option"),
    pytest.param(f"postgresql://u@{NOWHERE}/db?port={MARK}", id="an option that is no number"),
    pytest.param(f"postgresql://u@{NOWHERE}/db?connect_timeout={MARK}", id="a timeout that is no number"),
    pytest.param(f"postgresql://u@{NOWHERE}/db?sslmode={MARK}", id="a mode that is none"),
    pytest.param(f"postgresql://u:a@{MARK}@{NOWHERE}/db", id="an @ in the password"),
    pytest.param(f"postgresql://u:a/{MARK}@{NOWHERE}/db", id="a slash in the password"),
    pytest.param(f"postgresql+nothing://u:{MARK}@{NOWHERE}/db", id="an unknown driver"),
    pytest.param(f"mysql://u:{MARK}@{NOWHERE}/db", id="another database"),
    pytest.param(f"u:{MARK}@{NOWHERE}/db", id="no scheme"),
    pytest.param(f"sqlite:///x.db?synchronous={MARK}", id="an option of SQLite"),
    pytest.param(f"sqlite:///x.db?timeout={MARK}", id="an option of its driver"),
    pytest.param(MARK, id="no URL"),
]

FILES = [
    pytest.param(f"access_keys: [ID:{MARK}]\n", id="a list of keys"),
    pytest.param(f"access_keys: {{ID: {MARK}}}\n", id="a map of keys"),
    pytest.param(f"database_url: [postgresql://u:{MARK}@h/db]\n", id="a list of databases"),
    pytest.param(f"access_keys_file: [ID:{MARK}]\n", id="keys where their file is meant"),
    pytest.param(f"payload_keys_file: [ID:{MARK}]\n", id="a list of payload keys"),
    pytest.param(f"codec_token: [{MARK}]\n", id="a list of tokens"),
    pytest.param(f"app_mesh_endpoint: [https://u:{MARK}@h]\n", id="a URL with a password"),
    pytest.param(f"access_keys: 'ID:{MARK}\n", id="a quote that is not closed"),
    pytest.param(f"access_keys: ID: {MARK}\n", id="a colon too many"),
    pytest.param(f"access_keys: @{MARK}\n", id="a character that cannot begin a value"),
    pytest.param(f"ID:{MARK}\n", id="a file of keys"),
    pytest.param(f"1: {MARK}\nx: {MARK}\n", id="names of two types"),
    pytest.param(f"access_keys: {MARK}\xff\n", id="no UTF-8"),
]


@pytest.mark.parametrize("url", URLS)
def test_a_database_url_that_cannot_be_used(url, tmp_path, monkeypatch):
    """An error of the store, which `meshwright` shows as one of the setting."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError) as refused:
        Database(url)
    assert MARK not in str(refused.value)


@pytest.mark.parametrize("content", FILES)
def test_a_settings_file_that_cannot_be_used(content, tmp_path, monkeypatch):
    """The message names file or setting."""
    file = tmp_path / "settings.yaml"
    file.write_bytes(content.encode("latin-1"))
    monkeypatch.setenv("MESHWRIGHT_CONFIG", str(file))
    with pytest.raises(SettingsError, match="setting") as refused:
        load()
    assert MARK not in str(refused.value)


def test_a_settings_file_that_is_no_yaml_is_told_with_the_place(tmp_path, monkeypatch):
    """Line and column are enough to find it."""
    file = tmp_path / "settings.yaml"
    file.write_text(f"cluster: a\naccess_keys: @{MARK}\n")
    monkeypatch.setenv("MESHWRIGHT_CONFIG", str(file))
    with pytest.raises(SettingsError, match="not YAML: line 2, column 14"):
        load()


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"MESHWRIGHT_DATABASE_URL": f"postgresql://u:{MARK}@h:port/db"}, id="database"),
        pytest.param({"MESHWRIGHT_DATABASE_URL": f"postgresql://u@{NOWHERE}/db?bogus={MARK}"}, id="option"),
        pytest.param({"MESHWRIGHT_ACCESS_KEYS": f"ID:{MARK} {MARK}"}, id="key"),
        pytest.param({"MESHWRIGHT_CONFIG": "settings.yaml"}, id="file"),
    ],
)
def test_the_process_ends_with_one_line_and_no_secret(settings: dict[str, str], tmp_path: Path):
    """Exit code 2; no traceback, in which there would be more."""
    (tmp_path / "settings.yaml").write_text(f"codec_token: [{MARK}]\n")
    ended = subprocess.run(
        [sys.executable, "-m", "cli.main", "control-plane", "--control-plane-listen", "127.0.0.1:0"],
        env=os.environ | {"MESHWRIGHT_ACCESS_KEYS": "ID:secret"} | settings,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    assert MARK not in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stderr.startswith("meshwright: setting ")
