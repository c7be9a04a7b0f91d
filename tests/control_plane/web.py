"""Plain HTTP for tests: what boto3 does not show."""

import http.client
import json
from dataclasses import dataclass
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.control_plane.serving import KEY_ID, REGION, SECRET


@dataclass(frozen=True)
class Answer:
    """An HTTP response."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> tuple[int, str, str]:
        """Status, code and message of a refusal in rest-json's form."""
        return self.status, self.headers["x-amzn-errortype"], json.loads(self.body)["message"]


class Http:
    """One connection that is kept alive, for signed and unsigned requests."""

    def __init__(self, url: str, timeout: float = 10) -> None:
        self._url = url
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=timeout)

    def send(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        """Send a request as it is."""
        self._connection.request(method, path, body, headers, encode_chunked="Transfer-Encoding" in headers)
        response = self._connection.getresponse()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())

    def signed(
        self, method: str, path: str, body: bytes = b"", secret: str = SECRET, key_id: str = KEY_ID, **headers: str
    ) -> Answer:
        """Send a request signed by the tests' key, or another one."""
        request = AWSRequest(method, self._url + path, data=body, headers=headers)
        SigV4Auth(Credentials(key_id, secret), "appmesh", REGION).add_auth(request)
        return self.send(method, path, body, **dict(request.headers.items()))

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
