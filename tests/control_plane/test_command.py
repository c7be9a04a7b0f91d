"""`meshwright control-plane`: what it makes of its settings."""

from pathlib import Path

import pytest

from cli.control_plane import data_plane, keys, quotas
from cli.settings import Settings, SettingsError
from control_plane.api.access import AccessKey, Right
from control_plane.api.quotas import Quotas
from control_plane.server import UnusableConfiguration, listen


def settings(**given: object) -> Settings:
    """Settings with these values, whatever the environment says."""
    return Settings.model_validate({"access_keys": None, "access_keys_file": None, "quotas_file": None, **given})


def test_keys_come_from_both_settings(tmp_path: Path):
    """A list and a file, with comments and blank lines; a secret may have colons in it."""
    file = tmp_path / "keys"
    file.write_text("# people\nANN:one\n\n BOB:two:three \n")
    found = keys(settings(access_keys="CI:x, OPS:y read:shop", access_keys_file=file))
    expected = {"CI": "x", "OPS": "y", "ANN": "one", "BOB": "two:three"}
    assert {key_id: getattr(found.find(key_id), "secret", None) for key_id in expected} == expected
    assert found.find("OPS") == AccessKey("OPS", "y", ((Right.READ, "shop"),))


@pytest.mark.parametrize("given", [None, "", " , "])
def test_without_any_key_nothing_starts(given):
    """The message says how to set one."""
    with pytest.raises(SettingsError, match="MESHWRIGHT_ACCESS_KEYS"):
        keys(settings(access_keys=given))


@pytest.mark.parametrize("pair", ["secret", ":secret", "ID:", ":"])
def test_a_malformed_key_is_not_shown(pair):
    """It may well be a secret."""
    with pytest.raises(SettingsError) as refused:
        keys(settings(access_keys=pair))
    assert str(refused.value) == "setting access_keys: expected ID:SECRET"


@pytest.mark.parametrize("words", ["owns:shop", "read", "read:", "secret"])
def test_a_right_that_is_none_is_refused_with_line_and_key(words: str, tmp_path: Path):
    """Without showing the words: they may be a part of a secret with a blank in it."""
    file = tmp_path / "keys"
    file.write_text(f"ANN:one\nBOB:two {words}\n")
    with pytest.raises(SettingsError) as refused:
        keys(settings(access_keys_file=file))
    assert "line 2: key BOB: after ID:SECRET, expected read:MESH or write:MESH" in str(refused.value)


def test_quotas_come_from_a_file(tmp_path: Path):
    """Only what differs; an empty file changes nothing; what is wrong is named."""
    file = tmp_path / "quotas.yaml"
    assert quotas(settings()) == Quotas()
    file.write_text("meshes: 100\n")
    assert quotas(settings(quotas_file=file)) == Quotas(meshes=100)
    file.write_text("")
    assert quotas(settings(quotas_file=file)) == Quotas()
    for content, says in (
        ("[1]", "expected names and numbers"),
        ("a: [", "quotas.yaml"),
        ("mesh: 1", "unknown quota 'mesh'"),
    ):
        file.write_text(content)
        with pytest.raises(SettingsError, match=says):
            quotas(settings(quotas_file=file))


def test_proxies_are_served_in_the_open_only_if_it_is_said():
    """Without a certificate, `--xds-plaintext` has to be given; with one, it must not."""
    with pytest.raises(SettingsError, match="--xds-plaintext"):
        data_plane(settings(xds_listen="127.0.0.1:0"))
    plain = data_plane(settings(xds_listen="127.0.0.1:0", xds_plaintext=True))
    assert plain is not None
    assert plain.ads.security is None
    with pytest.raises(SettingsError, match="which of the two is meant"):
        data_plane(settings(xds_listen="127.0.0.1:0", xds_plaintext=True, xds_certificate_file="c", xds_key_file="k"))


def test_a_certificate_that_cannot_be_read_is_named(tmp_path: Path):
    """Before anything listens."""
    with pytest.raises(SettingsError, match="no-such-certificate"):
        data_plane(
            settings(
                xds_listen="127.0.0.1:0", xds_certificate_file=tmp_path / "no-such-certificate", xds_key_file=tmp_path
            )
        )


@pytest.mark.parametrize("address", ["nonsense", "127.0.0.1", "127.0.0.1:", "127.0.0.1:http", "no.such.host.invalid:0"])
def test_an_unusable_address_is_named(address):
    """HOST:PORT, and a host that is ours."""
    with pytest.raises(UnusableConfiguration, match=address.replace(".", r"\.")):
        listen(address)


@pytest.mark.parametrize("address", ["127.0.0.1:0", "[::1]:0"])
def test_port_0_is_a_free_port(address):
    """For tests and local stacks."""
    with listen(address) as listener:
        assert listener.getsockname()[1] > 0
