import socket
import ssl
import stat
import threading
from pathlib import Path

import pytest

from deploy.local import kubeconfig
from deploy.local.credentials import Credentials


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    """One set of keys, for the tests that only look at it."""
    credentials = Credentials(tmp_path_factory.mktemp("credentials"))
    credentials.ensure()
    return credentials


def handshake(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> dict[str, object]:
    """What the server learns of the client, over a real socket pair."""
    ours, theirs = socket.socketpair()
    learnt: list[dict[str, object]] = []

    def serve() -> None:
        with server.wrap_socket(theirs, server_side=True) as connection:
            learnt.append(dict(connection.getpeercert() or {}))
            connection.sendall(b"x")

    thread = threading.Thread(target=serve)
    thread.start()
    with client.wrap_socket(ours, server_hostname=name) as connection:
        connection.recv(1)
    thread.join()
    return learnt[0]


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "kubernetes.default.svc"])
def test_the_administrator_and_the_server_trust_each_other(credentials: Credentials, name: str):
    """The server is who it says under each of its names; it sees the administrator with the group that may all."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(credentials.certificate("server"), credentials.key("server"))
    server.load_verify_locations(credentials.authority)
    server.verify_mode = ssl.CERT_REQUIRED
    subject = handshake(server, credentials.client_context(), name)["subject"]
    assert (("organizationName", "system:masters"),) in subject  # type: ignore[operator]


def test_secrets_are_for_the_owner_alone(credentials: Credentials):
    """Keys and the access key have mode 0600."""
    credentials.access_key()
    secret = [*credentials.folder.glob("*.key"), credentials.folder / "access-key"]
    assert len(secret) == 4
    assert {stat.S_IMODE(file.stat().st_mode) for file in secret} == {0o600}


def test_keys_are_made_once(credentials: Credentials):
    """Whoever holds a kubeconfig or an access key can keep it over restarts."""
    before = {file.name: file.read_bytes() for file in credentials.folder.iterdir()}
    key = credentials.access_key()
    credentials.ensure()
    assert credentials.access_key() == key
    assert {name: (credentials.folder / name).read_bytes() for name in before} == before


def test_two_stacks_do_not_share_an_access_key(tmp_path: Path):
    """It is random, and long enough."""
    one, other = Credentials(tmp_path / "1"), Credentials(tmp_path / "2")
    for credentials in (one, other):
        credentials.folder.mkdir()
    assert one.access_key() != other.access_key()
    assert len(one.access_key().secret) == 40


def test_a_set_that_was_cut_short_is_made_anew(tmp_path: Path):
    """A crash in the middle must not leave a stack that never starts again."""
    credentials = Credentials(tmp_path)
    (tmp_path / "ca.crt").write_text("half of a certificate")
    credentials.ensure()
    credentials.client_context()


def test_the_kubeconfig_is_complete_in_itself(credentials: Credentials, tmp_path: Path):
    """It can be copied elsewhere: keys are inside, and so it is for the owner alone."""
    from kubernetes import config

    path = tmp_path / "kubeconfig"
    kubeconfig.write(path, "https://127.0.0.1:1", credentials)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert str(credentials.folder) not in path.read_text()
    with config.new_client_from_config(str(path)) as client:
        assert client.configuration.host == "https://127.0.0.1:1"
