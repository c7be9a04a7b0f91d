"""Who signed this request? AWS Signature Version 4, the receiving side.

The caller proves that it knows the secret of an access key by an HMAC over a canonical form of the request
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html). We build the same form
from what arrived and compare in constant time. What we insist on:

- the `Authorization` header; no presigned URLs, no SigV4a, and the payload is always part of what is signed
- `host` and `x-amz-date` among the signed headers, the date within 15 minutes of our clock and on the scope's day
- the scope's service is `appmesh`. Its region is the caller's choice, as long as the signature was made with it: an
  installation has one region in its ARNs, but a client's setting is no secret and no reason to turn it away
- session tokens are not looked at: keys here are long-lived ones from the configuration

Everything else is 403 with a message that says why; nothing of the secret or the expected signature is ever shown.
"""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple
from urllib.parse import quote, unquote

from control_plane.api.access import AccessKey, Keys
from control_plane.api.errors import Forbidden
from control_plane.api.service_model import service_model

ALGORITHM = "AWS4-HMAC-SHA256"
ALLOWED_SKEW = timedelta(minutes=15)
MAX_SIGNED_HEADERS = 100
"""More than any client signs. Each is copied into the canonical form, so a few names of one large header, said over and
over, would make gigabytes of a request of a few kilobytes."""

_DATE = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_AUTHORIZATION = re.compile(
    ALGORITHM + r"\s+Credential=(?P<credential>[^,\s]+)\s*,"
    r"\s*SignedHeaders=(?P<headers>[^,\s]+)\s*,\s*Signature=(?P<signature>[0-9a-f]{64})\s*"
)


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """What arrived, as far as a signature covers it."""

    method: str
    raw_path: str  # still percent-encoded
    raw_query: str
    headers: Mapping[str, str]  # by lower-case name; repeated ones joined by commas
    body: bytes


class _Scope(NamedTuple):
    """What a signature is valid for."""

    day: str
    region: str
    service: str
    terminator: str


class Verifier:
    """Checks signatures against the access keys that count now."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._service = str(service_model().signing_name)

    def verify(self, request: SignedRequest, now: datetime) -> AccessKey:
        """The access key that signed this request.

        Raises:
            Forbidden: nobody we know signed it, or not in the required way.
        """
        key_id, scope, signed_headers, signature = self._claim(request)
        date = _date(request.headers.get("x-amz-date"), scope, now)
        key = self._keys.find(key_id)
        if key is None:
            raise Forbidden(f"The access key {key_id[:128]!r} is not known here")
        canonical = _canonical_request(request, signed_headers, _payload_hash(request))
        to_sign = "\n".join((ALGORITHM, date, "/".join(scope), sha256(canonical.encode()).hexdigest()))
        expected = hmac.new(_signing_key(key.secret, scope), to_sign.encode(), sha256).hexdigest()
        if not hmac.compare_digest(expected, signature):
            raise Forbidden(
                "The signature does not match: check the secret access key, and that nothing on the way changes "
                "method, path, query, signed headers or body"
            )
        return key

    def _claim(self, request: SignedRequest) -> tuple[str, _Scope, list[str], str]:
        """Key id, scope, signed headers and signature, as the Authorization header claims them."""
        header = request.headers.get("authorization")
        if header is None:
            presigned = "X-Amz-Signature=" in request.raw_query
            raise Forbidden(
                "Presigned URLs are not accepted; sign by the Authorization header"
                if presigned
                else "The request is not signed: it has no Authorization header"
            )
        parsed = _AUTHORIZATION.fullmatch(header.strip())
        if parsed is None:
            raise Forbidden(f"The Authorization header is not '{ALGORITHM} Credential=, SignedHeaders=, Signature='")
        key_id, *scope_parts = parsed["credential"].rsplit("/", 4)
        if len(scope_parts) != 4:
            raise Forbidden("The credential is not KEY/DATE/REGION/SERVICE/aws4_request")
        scope = _Scope(*scope_parts)
        if scope.service != self._service or scope.terminator != "aws4_request":
            raise Forbidden(f"The request is signed for {scope.service!r}; this is {self._service!r}")
        signed_headers = parsed["headers"].split(";")
        if len(signed_headers) > MAX_SIGNED_HEADERS:
            raise Forbidden(f"More than {MAX_SIGNED_HEADERS} headers are signed")
        if len(set(signed_headers)) < len(signed_headers):
            raise Forbidden("A header is named twice among the signed ones")
        for name in ("host", "x-amz-date"):
            if name not in signed_headers:
                raise Forbidden(f"The header {name} is not among the signed ones")
        return key_id, scope, signed_headers, parsed["signature"]


def _date(text: str | None, scope: _Scope, now: datetime) -> str:
    if text is None or not _DATE.fullmatch(text):
        raise Forbidden("The header x-amz-date is missing or not of the form 20190125T000000Z")
    try:
        date = datetime.fromisoformat(text)
    except ValueError as error:
        raise Forbidden(f"The header x-amz-date is no date: {error}") from error
    if abs(date - now) > ALLOWED_SKEW:
        raise Forbidden(f"The request was signed at {text}, and it is {now:%Y%m%dT%H%M%SZ} here: too far apart")
    if not text.startswith(f"{scope.day}T"):
        raise Forbidden("The credential's day is not the day of x-amz-date")
    return text


def _payload_hash(request: SignedRequest) -> str:
    actual = sha256(request.body).hexdigest()
    claimed = request.headers.get("x-amz-content-sha256", actual)
    if claimed != actual:
        raise Forbidden("The header x-amz-content-sha256 is not the hash of the body")
    return actual


def _canonical_request(request: SignedRequest, signed_headers: list[str], payload_hash: str) -> str:
    headers = "".join(f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in signed_headers)
    return "\n".join(
        (
            request.method,
            _canonical_path(request.raw_path),
            _canonical_query(request.raw_query),
            headers,
            ";".join(signed_headers),
            payload_hash,
        )
    )


def _canonical_path(raw_path: str) -> str:
    """Without dots and doubled slashes, and encoded once more: all services but S3 sign the path encoded twice."""
    segments: list[str] = []
    for part in raw_path.split("/"):
        if part == "..":
            del segments[-1:]
        elif part not in ("", "."):
            segments.append(part)
    path = "/" + "/".join(segments)
    if segments and raw_path.endswith("/"):
        path += "/"
    return quote(path, safe="/~")


def _canonical_query(raw_query: str) -> str:
    pairs = (pair.partition("=") for pair in raw_query.split("&") if pair)
    return "&".join(
        f"{name}={value}" for name, value in sorted((_encoded(key), _encoded(text)) for key, _, text in pairs)
    )


def _encoded(text: str) -> str:
    return quote(unquote(text), safe="-_.~")


@lru_cache(maxsize=256)
def _signing_key(secret: str, scope: _Scope) -> bytes:
    """The key derived for one day, region and service. The same for all requests of a day, so kept."""
    key = b"AWS4" + secret.encode()
    for part in scope:
        key = hmac.new(key, part.encode(), sha256).digest()
    return key
