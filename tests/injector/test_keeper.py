"""A certificate of our own: made, renewed, and trusted by the API server, by any number of replicas."""

import base64
import copy
import datetime
from pathlib import Path
from typing import Any

import pytest
from kubernetes.aio.client.exceptions import ApiException

from injector.certificates import CERTIFICATE_DAYS, RENEWED_DAYS_BEFORE, Certificates, KeyPair, renewed
from injector.keeper import CertificateKeeper, Place, certificates_in

PLACE = Place("meshwright", "injector", "meshwright-injector")
NOW = datetime.datetime(2026, 11, 24, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)


class FakeCluster:
    """A Secret and a webhook configuration, with Kubernetes' optimistic concurrency."""

    def __init__(self) -> None:
        self.objects: dict[str, Any] = {
            PLACE.secret_path: {"metadata": {"resourceVersion": "1"}},
            PLACE.webhook_path: {"webhooks": [{"name": "a", "clientConfig": {}}, {"name": "b", "clientConfig": {}}]},
        }
        self.writes = 0
        self.rival: CertificateKeeper | None = None

    async def request(self, method: str, path: str, body: Any = None, content_type: str = "") -> dict[str, Any]:
        """As `ResourceApi`; a rival acts just before the first write."""
        if method == "GET":
            return dict(copy.deepcopy(self.objects[path]))
        if (rival := self.rival) is not None:
            self.rival = None
            await rival.look()
        self.writes += 1
        if method == "PUT":
            version = self.objects[path]["metadata"]["resourceVersion"]
            if body["metadata"]["resourceVersion"] != version:
                raise ApiException(status=409, reason="Conflict")
            self.objects[path] = body | {"metadata": {"resourceVersion": str(int(version) + 1)}}
        else:
            for operation in body:
                _, _, number, *rest = operation["path"].split("/")
                webhook = self.objects[path]["webhooks"][int(number)]
                if operation["op"] == "test":
                    assert webhook["name"] == operation["value"]
                else:
                    webhook[rest[0]][rest[1]] = operation["value"]
        return {}

    @property
    def trusted(self) -> set[bytes]:
        """The authorities that the webhooks name."""
        webhooks = self.objects[PLACE.webhook_path]["webhooks"]
        return {base64.b64decode(webhook["clientConfig"].get("caBundle", "")) for webhook in webhooks}


def keeper(cluster: FakeCluster, folder: Path, now: datetime.datetime = NOW) -> CertificateKeeper:
    """A replica."""
    folder.mkdir(exist_ok=True)
    return CertificateKeeper(cluster, PLACE, folder, lambda: now)


async def test_at_first_everything_is_made_and_then_nothing_is_written_again(tmp_path: Path):
    """One write for the Secret, one for both webhooks."""
    cluster = FakeCluster()
    await keeper(cluster, tmp_path / "a").look()
    made = certificates_in(cluster.objects[PLACE.secret_path])
    assert made is not None
    assert cluster.trusted == {made.authority.certificate}
    assert (tmp_path / "a" / "tls.crt").read_bytes() == made.webhook.certificate
    assert (tmp_path / "a" / "tls.key").stat().st_mode & 0o077 == 0
    await keeper(cluster, tmp_path / "b").look()
    assert (tmp_path / "b" / "tls.crt").read_bytes() == made.webhook.certificate
    assert cluster.writes == 2


async def test_of_two_replicas_that_make_one_at_once_both_use_the_same(tmp_path: Path):
    """The one that comes late takes the other's."""
    cluster = FakeCluster()
    cluster.rival = keeper(cluster, tmp_path / "b")
    await keeper(cluster, tmp_path / "a").look()
    assert (tmp_path / "a" / "tls.crt").read_bytes() == (tmp_path / "b" / "tls.crt").read_bytes()
    assert len(cluster.trusted) == 1


async def test_a_configuration_that_was_applied_anew_is_told_again_whom_to_trust(tmp_path: Path):
    """An upgrade's manifest knows nothing of the authority."""
    cluster = FakeCluster()
    await keeper(cluster, tmp_path).look()
    trusted = cluster.trusted
    cluster.objects[PLACE.webhook_path]["webhooks"][1]["clientConfig"] = {}
    await keeper(cluster, tmp_path).look()
    assert cluster.trusted == trusted


async def test_a_certificate_is_renewed_in_time_by_the_same_authority(tmp_path: Path):
    """So that nobody has to be told."""
    cluster = FakeCluster()
    await keeper(cluster, tmp_path).look()
    first, trusted = (tmp_path / "tls.crt").read_bytes(), cluster.trusted
    await keeper(cluster, tmp_path, NOW + (CERTIFICATE_DAYS - RENEWED_DAYS_BEFORE - 1) * DAY).look()
    assert (tmp_path / "tls.crt").read_bytes() == first
    await keeper(cluster, tmp_path, NOW + (CERTIFICATE_DAYS - RENEWED_DAYS_BEFORE + 1) * DAY).look()
    assert (tmp_path / "tls.crt").read_bytes() != first
    assert cluster.trusted == trusted


async def test_a_missing_secret_is_an_error_and_not_made(tmp_path: Path):
    """The right to make Secrets is the right to make any."""

    class Empty(FakeCluster):
        async def request(self, method: str, path: str, body: Any = None, content_type: str = "") -> dict[str, Any]:
            raise ApiException(status=404, reason="Not Found")

    with pytest.raises(ApiException, match="Not Found"):
        await keeper(Empty(), tmp_path).look()


GOOD = renewed(None, PLACE.names, NOW)
OTHER = renewed(None, PLACE.names, NOW)


@pytest.mark.parametrize(
    ("present", "same_authority"),
    [
        pytest.param(Certificates(GOOD.authority, OTHER.webhook), True, id="signed-by-another"),
        pytest.param(
            Certificates(GOOD.authority, KeyPair(GOOD.webhook.certificate, OTHER.webhook.key)),
            True,
            id="key-of-another",
        ),
        pytest.param(Certificates(GOOD.authority, KeyPair(b"", b"")), True, id="certificate-cut-off"),
        pytest.param(Certificates(KeyPair(b"x", b"y"), GOOD.webhook), False, id="authority-cut-off"),
    ],
)
def test_what_is_broken_is_made_anew(present: Certificates, same_authority: bool):
    """And what is not is kept."""
    made = renewed(present, PLACE.names, NOW)
    assert made.webhook != present.webhook
    assert (made.authority == present.authority) is same_authority
    assert renewed(made, PLACE.names, NOW) == made


def test_a_service_of_another_name_gets_another_certificate():
    """The API server checks the name."""
    assert renewed(GOOD, ["sidecars.mesh.svc"], NOW).webhook != GOOD.webhook


def test_an_authority_that_ends_is_replaced_with_all_that_it_signed():
    """Before a certificate could outlive it."""
    late = NOW + datetime.timedelta(days=3650 - CERTIFICATE_DAYS)
    assert renewed(GOOD, PLACE.names, late).authority != GOOD.authority
