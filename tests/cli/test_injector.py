"""`meshwright injector`: which settings can be used, and what is said of the others."""

from pathlib import Path
from typing import Any

import pytest

from cli.injected import configuration
from cli.serve_injector import knows_sidecars
from cli.settings import SettingsError, load
from injector.configuration import Configuration

XDS = "xds.example:18000"


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MESHWRIGHT_XDS_ADDRESS", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)


def made(**settings: Any) -> Configuration:
    """The configuration of these settings."""
    return configuration(load({"xds_address": XDS} | settings), native=True)


def test_the_defaults_of_the_settings_are_those_of_the_injector():
    """One truth, told in two places."""
    assert made() == Configuration(xds_address=XDS, init_image="meshwright:0.1.0")


def test_an_empty_text_is_nothing():
    """No request, no limit, nothing that bypasses the sidecar."""
    found = made(inject_cpu_request="", inject_ignored_ips="", inject_ignored_ports="")
    assert (found.cpu_request, found.ignored_ips, found.ignored_ports) == (None, (), ())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        pytest.param({"xds_address": None}, "MESHWRIGHT_XDS_ADDRESS", id="no-control-plane"),
        pytest.param({"xds_address": "nowhere"}, "xds_address.*HOST:PORT", id="no-port"),
        pytest.param({"xds_ca_file": "/none"}, "xds_ca_file.*none", id="no-authority"),
        pytest.param({"inject_token_secret": "t"}, "inject_token_secret.*xds_ca_file", id="token-without-tls"),
        pytest.param({"inject_certificate_secret": "t"}, "inject_certificate_secret.*xds_ca_file", id="no-tls"),
        pytest.param({"inject_cpu_request": "lots"}, "inject_cpu_request: 'lots' is not a quantity", id="quantity"),
        pytest.param({"inject_ignored_ips": "example.com"}, "inject_ignored_ips", id="address"),
        pytest.param({"inject_ignored_ports": "x"}, "inject_ignored_ports", id="port"),
        pytest.param({"inject_statsd_address": "statsd:8125"}, "inject_statsd_address.*not IP:PORT", id="statsd"),
        pytest.param({"inject_tracing": "zipkin:9411"}, "inject_tracing.*none of zipkin://", id="no-url"),
        pytest.param({"inject_tracing": "lightstep://a:1"}, "inject_tracing", id="unknown-tracer"),
        pytest.param({"inject_tracing": "xray://daemon:2000"}, "inject_tracing.*xray://IP:PORT", id="xray-by-name"),
        pytest.param({"inject_mesh": "a/b"}, "inject_mesh", id="mesh"),
        pytest.param({"injector_certificate_file": "/a"}, "belong together", id="no-key"),
        pytest.param({"inject_unmatched": "maybe"}, "inject_unmatched", id="policy"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(settings: dict[str, Any], message: str):
    """Before anything listens."""
    with pytest.raises(SettingsError, match=message):
        made(**settings)


def test_the_agent_cannot_be_given_a_token(tmp_path: Path):
    """Its bootstrap is a file, and Kubernetes fills in Secrets in arguments alone."""
    authority = tmp_path / "ca.crt"
    authority.write_text("PEM")
    with pytest.raises(SettingsError, match="token"):
        made(inject_sidecar="agent", inject_token_secret="t", xds_ca_file=str(authority))


@pytest.mark.parametrize(
    ("major", "minor", "known"),
    [("1", "28", False), ("1", "29", True), ("1", "36+", True), ("2", "0", True), ("", "", False)],
)
def test_sidecar_containers_are_there_from_1_29(major: str, minor: str, known: bool):
    """Some clusters put a plus after their version."""
    assert knows_sidecars({"major": major, "minor": minor}) is known
