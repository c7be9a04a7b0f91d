"""The App Mesh API over TLS and mutual TLS, by boto3 and by the session that the watcher uses."""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from cli.app_mesh_tls import ClientTls, for_botocore
from cli.clients import app_mesh, app_mesh_session
from cli.examination import _app_mesh
from cli.settings import Settings, SettingsError
from control_plane.server import Tls
from tests.control_plane.serving import KEY_ID, REGION, SECRET, Served, served
from tests.control_plane.xds.ads.certificates import Authority


@dataclass
class Site:
    """An API that speaks TLS, and the files on both sides."""

    directory: Path
    api: Served

    def settings(self, **given: Any) -> Settings:
        """What a client of it is told."""
        plain = {"app_mesh_endpoint": self.api.url, "app_mesh_region": REGION}
        return Settings.model_validate({**plain, "app_mesh_ca_file": str(self.directory / "ca.pem"), **given})

    def shown(self, name: str) -> dict[str, str]:
        """Settings that show this certificate."""
        files = {"certificate": "pem", "key": "key"}
        return {f"app_mesh_{what}_file": str(self.directory / f"{name}.{end}") for what, end in files.items()}

    def asks(self, **given: Any) -> str:
        """What becomes of one request by boto3 on a connection of its own."""
        client = app_mesh(self.settings(**given))
        try:
            client.list_meshes()
        except BotoCoreError as error:
            return type(error).__name__
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        finally:
            client.close()
        return "answered"


@contextmanager
def site(directory: Path, authority: Authority, client_ca: Authority | None = None) -> Iterator[Site]:
    """An API whose certificate this authority has issued."""
    (directory / "ca.pem").write_bytes(authority.pem)
    authority.write(directory, server="localhost")
    if client_ca is not None:
        (directory / "client-ca.pem").write_bytes(client_ca.pem)
    files = Tls(directory / "server.pem", directory / "server.key", directory / "client-ca.pem" if client_ca else None)
    with served(directory, tls=files) as api:
        yield Site(directory, api)


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' key, as boto3 finds it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)


def test_boto3_talks_to_whom_it_believes(tmp_path: Path):
    """And to nobody else: neither to an unknown authority nor in the clear."""
    with site(tmp_path, Authority()) as api:
        assert api.api.url.startswith("https://localhost:")
        assert api.asks() == "answered"
        (tmp_path / "other.pem").write_bytes(Authority().pem)
        assert api.asks(app_mesh_ca_file=str(tmp_path / "other.pem")) == "SSLError"
        in_the_clear = api.api.url.replace("https", "http")
        assert api.asks(app_mesh_endpoint=in_the_clear) == "ConnectionClosedError"


def test_a_renewed_certificate_is_shown_from_then_on_and_breaks_no_connection(tmp_path: Path):
    """Also one of another authority."""
    first, second = Authority("first"), Authority("second")
    with site(tmp_path, first) as api, ExitStack() as stack:
        kept = app_mesh(api.settings())
        stack.callback(kept.close)
        kept.list_meshes()
        second.write(tmp_path, server="localhost")
        assert api.asks() == "SSLError"
        kept.list_meshes()
        (tmp_path / "ca.pem").write_bytes(second.pem)
        assert api.asks() == "answered"


def test_with_mutual_tls_only_who_shows_a_certificate_gets_in(tmp_path: Path):
    """One of the authority that the files name now; the signature counts all the same."""
    clients, others = Authority("clients"), Authority("others")
    with site(tmp_path, Authority(), clients) as api:
        clients.write(tmp_path, ours="worker")
        others.write(tmp_path, theirs="worker")
        assert api.asks() in ("SSLError", "ConnectionClosedError")
        assert api.asks(**api.shown("theirs")) in ("SSLError", "ConnectionClosedError")
        assert api.asks(**api.shown("ours")) == "answered"
        (tmp_path / "client-ca.pem").write_bytes(others.pem)
        assert api.asks(**api.shown("ours")) in ("SSLError", "ConnectionClosedError")
        assert api.asks(**api.shown("theirs")) == "answered"


@pytest.mark.usefixtures("strict_certificates")
async def test_the_watchers_session_shows_and_believes_the_same(tmp_path: Path):
    """It follows the change feed; without a signature it is told so."""
    clients = Authority("clients")
    with site(tmp_path, Authority(), clients) as api:
        clients.write(tmp_path, ours="watcher")
        async with (
            app_mesh_session(api.settings(**api.shown("ours"))) as session,
            session.get(f"{api.api.url}/v1/changes") as answer,
        ):
            assert answer.status == 403


async def test_the_doctor_finds_the_change_feed_where_both_sides_show_certificates(tmp_path: Path):
    """It asks as the watcher would."""
    clients = Authority("clients")
    with site(tmp_path, Authority(), clients) as api:
        clients.write(tmp_path, ours="doctor")
        facts = await asyncio.wait_for(_app_mesh(api.settings(**api.shown("ours"))), 20)
    assert facts is not None
    assert (facts.code, facts.feed) == (None, True)


def test_files_are_read_again_when_they_change(tmp_path: Path):
    """For a client that lives long; what cannot be read yet changes nothing."""
    first, second = Authority("first"), Authority("second")
    (tmp_path / "ca.pem").write_bytes(first.pem)
    first.write(tmp_path, ours="watcher")
    settings = Settings.model_validate(
        {
            "app_mesh_ca_file": str(tmp_path / "ca.pem"),
            "app_mesh_certificate_file": str(tmp_path / "ours.pem"),
            "app_mesh_key_file": str(tmp_path / "ours.key"),
        }
    )
    tls = ClientTls(settings)
    assert not tls.renew()
    (tmp_path / "ours.pem").write_text("half of it")
    with pytest.raises(ssl.SSLError):
        tls.renew()
    (tmp_path / "ca.pem").write_bytes(second.pem)
    second.write(tmp_path, ours="watcher")
    assert tls.renew()
    assert any("second" in str(each["subject"]) for each in tls.context.get_ca_certs())


@pytest.mark.parametrize("missing", ["app_mesh_certificate_file", "app_mesh_key_file"])
def test_a_certificate_needs_its_key(missing: str):
    """And is not left out silently."""
    given = {"app_mesh_certificate_file": "c.pem", "app_mesh_key_file": "c.key"}
    del given[missing]
    with pytest.raises(SettingsError, match="one needs the other"):
        for_botocore(Settings.model_validate(given))
