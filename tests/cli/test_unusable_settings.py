"""What our clients cannot be made with: each ends a command with one line that names the setting, never a traceback."""

import ssl
from pathlib import Path

import pytest
from kubernetes.aio import config

from cli import clients
from cli.diagnosis import Silence
from cli.examination import examine
from cli.kubernetes_client import kubernetes
from cli.rights import PROCESSES
from cli.settings import Settings, SettingsError, load

ENDPOINTS = {
    "app_mesh_endpoint": "AWS_ENDPOINT_URL_APP_MESH",
    "cloud_map_endpoint": "AWS_ENDPOINT_URL_SERVICEDISCOVERY",
}
CONTEXT = "current-context: a\ncontexts: [{name: a, context: {cluster: c, user: u}}]\nusers: [{name: u, user: {}}]\n"
TRUSTED = "server: 'https://h', certificate-authority-data: aGFsbG8="


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch, tmp_path):
    """No setting from the developer's own shell, and no cluster."""
    for name in (*ENDPOINTS.values(), "AWS_PROFILE", "MESHWRIGHT_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    for module in (config, config.kube_config):  # each has read KUBECONFIG when it was imported
        monkeypatch.setattr(module, "KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "kubeconfig"))


@pytest.mark.parametrize("name", ENDPOINTS)
@pytest.mark.parametrize(
    ("url", "says"),
    [
        pytest.param("control-plane:8080", "expected a URL", id="no scheme"),
        pytest.param("foo", "expected a URL", id="a word"),
        pytest.param("", "expected a URL", id="nothing"),
        pytest.param("ftp://host", "expected a URL", id="another scheme"),
        pytest.param("http://", "expected a URL", id="no host"),
        pytest.param("http://host:99999", "expected a URL", id="no such port"),
        pytest.param("http://[::1", "expected a URL", id="half a bracket"),
        pytest.param("http://ho st", "expected a URL", id="a space"),
        pytest.param("http://control_plane:8080", "letters, digits, dashes", id="an underscore"),
    ],
)
def test_an_endpoint_that_is_no_url_is_told_by_its_setting(name, url, says, monkeypatch):
    """However it was set; the value stays unsaid."""
    with pytest.raises(SettingsError, match=f"setting {name}: .*{says}"):
        load({name: url})
    monkeypatch.setenv(ENDPOINTS[name], url)
    with pytest.raises(SettingsError, match=f"setting {name}: .*{says}"):
        load()


@pytest.mark.parametrize("url", ["http://a.b.svc.:8080/mesh/", "https://u:p@host", "http://[::1]:8080"])
def test_an_endpoint_that_is_taken_is_one_for_botocore_too(url):
    """Ours is not the laxer rule."""
    settings = load(dict.fromkeys(ENDPOINTS, url))
    for client in (clients.app_mesh(settings), clients.cloud_map(settings)):
        assert client.meta.endpoint_url == url
        client.close()


@pytest.mark.parametrize("made", [clients.app_mesh, clients.cloud_map, lambda _: clients._credentials()])
def test_a_profile_that_is_not_there_is_told(made, monkeypatch):
    """Of the AWS SDK, which complains once a client is made."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(SettingsError, match=r"AWS's own settings .*nobody"):
        made(Settings(app_mesh_endpoint="http://a"))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\xff\xfe", id="no UTF-8"),
        pytest.param(b"a: [", id="no YAML"),
        pytest.param(b"- a", id="a list"),
        pytest.param(b"just words", id="words"),
        pytest.param(b"clusters: 5", id="no clusters"),
        pytest.param(f"{CONTEXT}clusters: [{{name: c, cluster: 5}}]".encode(), id="no cluster"),
        pytest.param(f"{CONTEXT}clusters: [{{name: c, cluster: {{{TRUSTED}}}}}]".encode(), id="no certificate"),
    ],
)
async def test_a_kubeconfig_that_is_none_is_told(content: bytes, tmp_path: Path):
    """By the variable that leads to it."""
    (tmp_path / "kubeconfig").write_bytes(content)
    with pytest.raises(SettingsError, match="KUBECONFIG"):
        await kubernetes()


@pytest.mark.usefixtures("strict_certificates")
async def test_a_cluster_of_old_certificates_is_believed_by_every_python(tmp_path: Path):
    """From 3.13 on Python would refuse those without an authority's key identifier; kubectl does not."""
    (tmp_path / "kubeconfig").write_text(f"{CONTEXT}clusters: [{{name: c, cluster: {{server: 'https://h'}}}}]")
    async with await kubernetes() as client:
        assert not client.rest_client.ssl_context.verify_flags & ssl.VERIFY_X509_STRICT


@pytest.mark.parametrize("address", [":::", "host:port", "host:99999"])
async def test_an_address_of_temporal_that_is_none_is_told(address: str):
    """Rather than waited for."""
    with pytest.raises(SettingsError, match="TEMPORAL_ADDRESS"):
        await clients.temporal(Settings(temporal_address=address))


async def test_the_doctor_tells_of_each_and_stays_on_its_feet(tmp_path: Path, monkeypatch):
    """What cannot be asked is silent, whatever it was that could not be read."""
    (tmp_path / "kubeconfig").write_bytes(b"\xff\xfe")
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    settings = Settings(app_mesh_endpoint="http://a", cloud_map_endpoint="http://a", temporal_address=":::")
    facts = await examine(settings, PROCESSES)
    parts = (facts.kubernetes, facts.temporal, facts.app_mesh, facts.cloud_map)
    said = [each.why if isinstance(each, Silence) else "" for each in parts]
    assert ["KUBECONFIG" in said[0], "TEMPORAL" in said[1], "nobody" in said[2], "nobody" in said[3]] == [True] * 4
