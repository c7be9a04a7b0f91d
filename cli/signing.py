"""Signatures for what lies beside the App Mesh operations, as the change feed does: boto3 signs operations alone."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watcher.feed import Sign

APP_MESH = "appmesh"
"""As botocore calls the service that a signature is for."""


def signer(credentials: Any, region: str, headers: Mapping[str, str] | None = None) -> "Sign":
    """What gives a request's headers, signed; `headers` go with each. `credentials` are botocore's, and may renew."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest

    def sign(method: str, url: str) -> dict[str, str]:
        request = AWSRequest(method, url, headers=dict(headers or {}))
        SigV4Auth(credentials.get_frozen_credentials(), APP_MESH, region).add_auth(request)
        return dict(request.headers.items())

    return sign
