"""From foreign exceptions to our failures, in one place.

Every error that leaves an activity is an ApplicationError whose `type` is a member of `Failure`; the original is
chained, and its text is cut before it enters a history. Codes are App Mesh's (each operation's Errors section); for a
code that we do not know the HTTP status decides, so that another endpoint's inventions still land somewhere sensible.
"""

import json
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from kubernetes.aio.client.exceptions import ApiException
from temporalio.exceptions import ApplicationError

from activities.failures import Failure

LONGEST_MESSAGE = 1000

_CODES = {
    "BadRequestException": Failure.BAD_REQUEST,
    "ConflictException": Failure.CONFLICT,
    "ForbiddenException": Failure.FORBIDDEN,
    "InternalServerErrorException": Failure.UNAVAILABLE,
    "LimitExceededException": Failure.LIMIT_EXCEEDED,
    "NotFoundException": Failure.NOT_FOUND,
    "ResourceInUseException": Failure.IN_USE,
    "ServiceUnavailableException": Failure.UNAVAILABLE,
    "TooManyRequestsException": Failure.THROTTLED,
    "ThrottlingException": Failure.THROTTLED,
    "TooManyTagsException": Failure.LIMIT_EXCEEDED,
    # Cloud Map's
    "AccessDeniedException": Failure.FORBIDDEN,
    "ExpiredTokenException": Failure.FORBIDDEN,
    "UnrecognizedClientException": Failure.FORBIDDEN,
    "InvalidInput": Failure.BAD_REQUEST,
    "InstanceNotFound": Failure.NOT_FOUND,
    "NamespaceNotFound": Failure.NOT_FOUND,
    "RequestLimitExceeded": Failure.THROTTLED,
    "ResourceInUse": Failure.IN_USE,
    "ResourceLimitExceeded": Failure.LIMIT_EXCEEDED,
    "ServiceAlreadyExists": Failure.CONFLICT,
    "ServiceNotFound": Failure.NOT_FOUND,
}
_STATUSES = {
    403: Failure.FORBIDDEN,
    404: Failure.NOT_FOUND,
    409: Failure.CONFLICT,
    429: Failure.THROTTLED,
}
_NOBODYS_WORD = frozenset({404, 408, 409})
"""Statuses that say nothing of an object when no code comes with them (botocore then puts the status in its place): a
load balancer or an ingress with nothing behind it says 404 too, and what does not exist counts as deleted."""


@contextmanager
def app_mesh_errors(what: str) -> Iterator[None]:
    """Raise what boto3 raises inside the block as a classified ApplicationError; `what` begins the message."""
    try:
        yield
    except ClientError as error:
        failure = _classify(error)
        raise failed(failure, f"{what}: {error.response.get('Error', {}).get('Message') or error}") from error
    except ParamValidationError as error:
        raise failed(Failure.BAD_REQUEST, f"{what}: {error}") from error
    except BotoCoreError as error:
        raise failed(Failure.UNAVAILABLE, f"{what}: {error}") from error
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        # Botocore checks no answer: a body that was cut off is an empty one to it, and one that is no object it, or
        # we, trip over.
        told = f"the answer cannot be read: {type(error).__name__}: {error}"
        raise failed(Failure.UNAVAILABLE, f"{what}: {told}") from error


cloud_map_errors = app_mesh_errors
"""The same for Cloud Map, whose client is boto3's too."""


@contextmanager
def kubernetes_errors(what: str) -> Iterator[None]:
    """The same for the Kubernetes client. What is gone is said by the API server itself; nobody else is believed."""
    try:
        yield
    except ApiException as error:
        gone = is_absent(error) or is_other_life(error)
        failure = Failure.GONE if gone else Failure.UNAVAILABLE
        raise failed(failure, f"{what}: {error.status} {error.reason}: {error.body or ''}") from error
    except (TimeoutError, aiohttp.ClientError, ssl.SSLError, OSError) as error:
        raise failed(Failure.UNAVAILABLE, f"{what}: {str(error) or type(error).__name__}") from error


def is_absent(error: ApiException) -> bool:
    """Whether the API server says that the object, which the request named, does not exist.

    A 404 alone is no such word: a load balancer or an ingress with nothing behind it says it too, and so does the API
    server of a path that it does not serve (yet, or any more). What is made for a resource is deleted when it is gone.
    """
    if error.status != 404:
        return False
    try:
        status = json.loads(error.body or "")
        return bool(status["kind"] == "Status" and status["reason"] == "NotFound" and status["details"]["name"])
    except (ValueError, LookupError, TypeError):
        return False


def is_refused(error: ApiException) -> bool:
    """Whether no repetition can change the answer: it is about the request, not about who asks or how often."""
    return 400 <= (error.status or 0) < 500 and error.status not in (401, 408, 429)


def is_other_life(error: ApiException) -> bool:
    """Whether the API server refused a write because the resource of that name has another uid now.

    It says so in two ways, depending on whether the write came as far as etcd.
    """
    return error.status == 409 and re.search(r"UID in (the )?precondition", error.body or "") is not None


def failed(failure: Failure, message: str) -> ApplicationError:
    """The error to raise. Lasting failures are marked non-retryable here too, whatever the caller's retry policy."""
    return ApplicationError(message[:LONGEST_MESSAGE], type=failure, non_retryable=not failure.passes)


def _classify(error: ClientError) -> Failure:
    code = error.response.get("Error", {}).get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
    if code in _CODES:
        return _CODES[code]
    if status >= 500 or (status in _NOBODYS_WORD and code in ("", str(status))):
        return Failure.UNAVAILABLE
    return _STATUSES.get(status, Failure.BAD_REQUEST)
