from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st

from control_plane.api.access import FixedKeys
from control_plane.api.errors import Forbidden
from control_plane.api.signature import SignedRequest, Verifier

KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
URL = "http://127.0.0.1:8080/v20190125/meshes/m?limit=5"
VERIFIER = Verifier(FixedKeys.of({KEY: SECRET, "OTHER": "another-secret"}))


def signed(
    method: str = "GET",
    url: str = URL,
    body: bytes = b"",
    *,
    key: str = KEY,
    secret: str = SECRET,
    service: str = "appmesh",
    region: str = "us-west-2",
    token: str | None = None,
    headers: dict[str, str] | None = None,
) -> SignedRequest:
    """A request as it arrives, signed by botocore."""
    request = AWSRequest(method, url, data=body, headers=headers or {})
    SigV4Auth(Credentials(key, secret, token), service, region).add_auth(request)
    parts = urlsplit(url)
    arrived = {name.lower(): value for name, value in request.headers.items()}
    return SignedRequest(method, parts.path, parts.query, {"host": parts.netloc, **arrived}, body)


def changed(request: SignedRequest, **headers: str | None) -> SignedRequest:
    """The request with headers replaced, or taken away by None."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    kept = {name: value for name, value in {**request.headers, **names}.items() if value is not None}
    return replace(request, headers=kept)


def authorization(request: SignedRequest, old: str, new: str) -> SignedRequest:
    """The request with a part of its Authorization header replaced."""
    assert old in request.headers["authorization"]
    return changed(request, authorization=request.headers["authorization"].replace(old, new))


def now() -> datetime:
    """The time."""
    return datetime.now(UTC)


def test_the_key_that_signed_is_known_by_name():
    """A good signature tells whose it is."""
    assert VERIFIER.verify(signed(), now()).id == KEY
    assert VERIFIER.verify(signed(key="OTHER", secret="another-secret"), now()).id == "OTHER"


@settings(max_examples=150)
@given(
    method=st.sampled_from(["GET", "PUT", "DELETE", "POST"]),
    names=st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=12), min_size=1, max_size=4),
    query=st.dictionaries(st.text(max_size=8), st.text(max_size=12), max_size=3),
    body=st.binary(max_size=50),
)
def test_whatever_botocore_signs_we_verify(method, names, query, body):
    """Any path, query and body: both sides build the same canonical form."""
    path = "/".join(quote(name, safe="") for name in names)
    pairs = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query.items() if name)
    request = signed(method, f"http://localhost:8080/v20190125/{path}" + (f"?{pairs}" if pairs else ""), body)
    assert VERIFIER.verify(request, now()).id == KEY


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Content-Type": "application/json"}, id="content type"),
        pytest.param({"X-Amz-Extra": "  two   spaces  "}, id="spaces are folded"),
        pytest.param({"X-Amz-Target": "a,b"}, id="comma"),
    ],
)
def test_further_signed_headers_count(headers):
    """Headers that the client chose to sign are part of the signature."""
    request = signed(headers=headers)
    assert VERIFIER.verify(request, now()).id == KEY
    name = next(iter(headers)).lower()
    with pytest.raises(Forbidden, match="does not match"):
        VERIFIER.verify(changed(request, **{name: "changed"}), now())


@pytest.mark.parametrize("path", ["/a/./b/../c", "/a//b", "/a/", "/../a", "/", ""])
def test_a_path_is_signed_without_its_detours(path):
    """Dots and doubled slashes are taken out before signing, by both sides."""
    assert VERIFIER.verify(signed(url=f"http://localhost{path}"), now()).id == KEY


@pytest.mark.parametrize("region", ["us-west-2", "eu-central-1", "mars-north-1"])
def test_any_region_will_do(region):
    """The scope's region is the client's choice, as long as it signed with it."""
    assert VERIFIER.verify(signed(region=region), now()).id == KEY


def test_a_session_token_is_not_looked_at():
    """Keys here are long-lived, but clients with a token in their profile may come in."""
    assert VERIFIER.verify(signed(token="some-session-token"), now()).id == KEY


REQUEST = signed("PUT", URL, b'{"meshName": "m"}')
SIGNED_AT = datetime.fromisoformat(REQUEST.headers["x-amz-date"])  # the suite may take longer than a signature counts


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        pytest.param(changed(REQUEST, authorization=None), "has no Authorization header", id="unsigned"),
        pytest.param(
            replace(changed(REQUEST, authorization=None), raw_query="X-Amz-Signature=abc"), "Presigned", id="presigned"
        ),
        pytest.param(changed(REQUEST, authorization="Bearer abc"), "is not 'AWS4-HMAC-SHA256", id="bearer"),
        pytest.param(
            authorization(REQUEST, "AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), "is not 'AWS4-HMAC", id="SigV4a"
        ),
        pytest.param(authorization(REQUEST, "Signature=", "Signature=zz"), "is not 'AWS4-HMAC", id="no hex"),
        pytest.param(authorization(REQUEST, f"{KEY}/", "/"), "access key '' is not known", id="no key"),
        pytest.param(authorization(REQUEST, "/appmesh/", "/"), "The credential is not KEY/DATE", id="short scope"),
        pytest.param(authorization(REQUEST, "aws4_request", "aws5"), "is signed for", id="other terminator"),
        pytest.param(signed(service="s3"), "signed for 's3'; this is 'appmesh'", id="other service"),
        pytest.param(signed(key="NOBODY"), "access key 'NOBODY' is not known", id="unknown key"),
        pytest.param(signed(secret="wrong"), "signature does not match", id="wrong secret"),
        pytest.param(authorization(REQUEST, "host;", ""), "host is not among", id="host not signed"),
        pytest.param(authorization(REQUEST, ";x-amz-date", ""), "x-amz-date is not among", id="date not signed"),
        pytest.param(authorization(REQUEST, "host;", "host;host;"), "named twice", id="a header signed twice"),
        pytest.param(
            authorization(REQUEST, "host;", "host;" + "".join(f"x-{number};" for number in range(100))),
            "More than 100 headers",
            id="very many headers",
        ),
        pytest.param(changed(REQUEST, x_amz_date=None), "x-amz-date is missing", id="no date"),
        pytest.param(changed(REQUEST, x_amz_date="yesterday"), "x-amz-date is missing or", id="odd date"),
        pytest.param(changed(REQUEST, x_amz_date="20261340T000000Z"), "is no date", id="impossible date"),
        pytest.param(authorization(REQUEST, f"/{SIGNED_AT:%Y%m%d}/", "/20190125/"), "not the day", id="other day"),
        pytest.param(authorization(REQUEST, "/us-west-2/", "/us-east-1/"), "does not match", id="region changed"),
        pytest.param(replace(REQUEST, method="DELETE"), "does not match", id="method changed"),
        pytest.param(replace(REQUEST, raw_path="/v20190125/meshes/n"), "does not match", id="path changed"),
        pytest.param(replace(REQUEST, raw_query="limit=6"), "does not match", id="query changed"),
        pytest.param(replace(REQUEST, body=b"{}"), "does not match", id="body changed"),
        pytest.param(changed(REQUEST, host="elsewhere"), "does not match", id="host changed"),
        pytest.param(
            changed(REQUEST, x_amz_content_sha256="UNSIGNED-PAYLOAD"), "not the hash of the body", id="payload unsigned"
        ),
    ],
)
def test_a_request_that_is_not_well_signed_is_refused(request_, says):
    """Whatever is missing, foreign or changed on the way: 403, and the message says why."""
    with pytest.raises(Forbidden, match=says):
        VERIFIER.verify(request_, SIGNED_AT)


@pytest.mark.parametrize(
    ("skew", "accepted"),
    [
        pytest.param(timedelta(minutes=14, seconds=50), True, id="our clock is ahead"),
        pytest.param(timedelta(minutes=-14, seconds=-50), True, id="our clock is behind"),
        pytest.param(timedelta(minutes=15, seconds=10), False, id="too far ahead"),
        pytest.param(timedelta(minutes=-15, seconds=-10), False, id="too far behind"),
        pytest.param(timedelta(days=1), False, id="a day old"),
    ],
)
def test_clocks_may_differ_by_a_quarter_of_an_hour(skew, accepted):
    """An old request cannot be replayed; a clock that is a little off does no harm."""
    request = signed()
    if accepted:
        assert VERIFIER.verify(request, now() + skew).id == KEY
    else:
        with pytest.raises(Forbidden, match="too far apart"):
            VERIFIER.verify(request, now() + skew)


def test_nothing_secret_is_in_a_refusal():
    """Neither the secret nor the expected signature is shown to whoever guesses."""
    with pytest.raises(Forbidden) as refused:
        VERIFIER.verify(signed(secret="wrong"), now())
    genuine = signed().headers["authorization"].partition("Signature=")[2]
    assert SECRET not in refused.value.message
    assert genuine not in refused.value.message
