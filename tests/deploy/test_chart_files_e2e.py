"""What the chart mounts: each process takes its variables, with the files that they name where they are mounted."""

import datetime
from pathlib import Path
from typing import Any

import pytest

from cli import control_plane
from cli.injected import configuration
from cli.settings import Settings
from control_plane.api.access import AccessKey, Right
from control_plane.api.quotas import Quotas
from control_plane.tls import ServerTls
from injector.certificates import renewed
from tests.deploy.charting import EVERYTHING, by_name, environment_of, rendered
from tests.deploy.installing import known_variables, settings_of

pytestmark = pytest.mark.e2e

MADE = renewed(None, ["control-plane.meshwright"], datetime.datetime.now(datetime.UTC))
CERTIFICATES = {
    "tls.crt": MADE.webhook.certificate.decode(),
    "tls.key": MADE.webhook.key.decode(),
    "ca.crt": MADE.authority.certificate.decode(),
}
SECRETS = {
    "access-keys": {"keys": "OPS:one\nVIEW:two read:*\n"},
    "proxy-tokens": {"tokens": "s3cret mesh/shop/virtualNode/*\n"},
    "meshwright-xds": {**CERTIFICATES, "clients.crt": CERTIFICATES["ca.crt"]},
    "api-tls": CERTIFICATES,
    "webhook-tls": CERTIFICATES,
}
"""What people put into the Secrets that they name, as docs/how-to says."""


def started(process: str, root: Path, monkeypatch: pytest.MonkeyPatch, **values: Any) -> Settings:
    """The settings of a process, whose files are below a folder instead of below /."""
    objects = rendered(**values)
    (deployment,) = [each for name, each in by_name(objects, "Deployment").items() if name == process]
    pod = deployment["spec"]["template"]["spec"]
    volumes = {each["name"]: each for each in pod["volumes"]}
    for mount in pod["containers"][0]["volumeMounts"]:
        for name, content in files_of(volumes[mount["name"]], objects).items():
            file = root / mount["mountPath"].lstrip("/") / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
    given = environment_of(objects, process)
    assert given.keys() <= known_variables()
    return settings_of(
        {name: f"{root}{value}" if value.startswith("/etc/") else value for name, value in given.items()}, monkeypatch
    )


def files_of(volume: dict[str, Any], objects: list[dict[str, Any]]) -> dict[str, str]:
    """The files of a volume."""
    if "configMap" in volume:
        return dict(by_name(objects, "ConfigMap")[volume["configMap"]["name"]]["data"])
    if "secret" in volume:
        content = SECRETS[volume["secret"]["secretName"]]
        chosen = volume["secret"].get("items", [{"key": name, "path": name} for name in content])
        return {each["path"]: content[each["key"]] for each in chosen}
    return {}


def test_the_control_plane_reads_keys_tokens_quotas_and_certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """From the Secrets that are named and the values that are given; its ARNs are of the region."""
    settings = started("control-plane", tmp_path, monkeypatch, **EVERYTHING)
    assert (settings.account_id, settings.app_mesh_region) == ("123456789012", "eu-central-1")
    assert (settings.log_level, settings.log_format) == ("debug", "json")
    assert control_plane.keys(settings).find("VIEW") == AccessKey("VIEW", "two", ((Right.READ, "*"),))
    assert control_plane.quotas(settings) == Quotas(meshes=20, virtual_nodes_per_mesh=1000)
    assert control_plane.tls(settings) is not None
    # Where proxies are served is an argument of the container.
    serving = control_plane.data_plane(settings.model_copy(update={"xds_listen": "0.0.0.0:18000"}))
    assert serving is not None
    assert serving.ads.security is not None
    assert serving.ads.security.tokens is not None
    assert serving.ads.security.tokens.read_text() == SECRETS["proxy-tokens"]["tokens"]


def test_proxies_certificates_can_be_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Whatever the Secret of proxies' certificates has in it is a file."""
    given = {"MESHWRIGHT_XDS_CLIENT_CA_FILE": "/etc/meshwright/xds/clients.crt"}
    settings = started("control-plane", tmp_path, monkeypatch, controlPlane={"settings": given})
    serving = control_plane.data_plane(settings.model_copy(update={"xds_listen": "0.0.0.0:18000"}))
    assert serving is not None
    assert serving.ads.security is not None
    assert serving.ads.security.client_ca == settings.xds_client_ca_file


def test_by_default_there_are_no_such_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What is not named is not mounted, and the region is that of everybody."""
    settings = started("control-plane", tmp_path, monkeypatch)
    assert (settings.access_keys_file, settings.xds_tokens_file, settings.quotas_file) == (None, None, None)
    assert settings.app_mesh_region == "us-west-2"
    assert control_plane.quotas(settings) == Quotas()


def test_the_injector_shows_a_certificate_of_cert_managers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """And cert-manager is told to write its authority into the webhook's configuration."""
    settings = started("injector", tmp_path, monkeypatch, **EVERYTHING)
    configuration(settings, native=True)
    assert settings.injector_certificate_file is not None
    assert settings.injector_key_file is not None
    ServerTls(settings.injector_certificate_file, settings.injector_key_file)
    webhook = by_name(rendered(**EVERYTHING), "MutatingWebhookConfiguration")["meshwright-injector"]
    assert webhook["metadata"]["annotations"] == {"cert-manager.io/inject-ca-from": "meshwright/webhook"}
    assert started("injector", tmp_path, monkeypatch).injector_certificate_file is None
