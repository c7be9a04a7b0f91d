"""From foreign exceptions to our failures."""

import aiohttp
import botocore.session
import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)
from botocore.parsers import create_parser
from kubernetes.aio.client.exceptions import ApiException
from temporalio.exceptions import ApplicationError

from activities.errors import LONGEST_MESSAGE, app_mesh_errors, kubernetes_errors
from activities.failures import LASTING, Failure
from tests.activities.fake_cluster import absent


def refused(code: str, status: int, message: str = "said so") -> ClientError:
    """What boto3 raises for an answer of the API."""
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}, "CreateRoute"
    )


def of_app_mesh(error: Exception) -> ApplicationError:
    """What leaves an App Mesh activity when the client raises this."""
    with pytest.raises(ApplicationError) as failed, app_mesh_errors("CreateRoute blue"):
        raise error
    assert failed.value.__cause__ is error
    return failed.value


def of_kubernetes(error: Exception) -> ApplicationError:
    """What leaves a Kubernetes activity when the client raises this."""
    with pytest.raises(ApplicationError) as failed, kubernetes_errors("write status of Mesh shop"):
        raise error
    assert failed.value.__cause__ is error
    return failed.value


@pytest.mark.parametrize(
    ("code", "status", "failure"),
    [
        # Every code in the Errors sections of the API reference ...
        ("BadRequestException", 400, Failure.BAD_REQUEST),
        ("ConflictException", 409, Failure.CONFLICT),
        ("ForbiddenException", 403, Failure.FORBIDDEN),
        ("InternalServerErrorException", 500, Failure.UNAVAILABLE),
        ("LimitExceededException", 400, Failure.LIMIT_EXCEEDED),
        ("NotFoundException", 404, Failure.NOT_FOUND),
        ("ResourceInUseException", 409, Failure.IN_USE),
        ("ServiceUnavailableException", 503, Failure.UNAVAILABLE),
        ("TooManyRequestsException", 429, Failure.THROTTLED),
        ("TooManyTagsException", 400, Failure.LIMIT_EXCEEDED),
        # ... what any AWS front door says ...
        ("ThrottlingException", 400, Failure.THROTTLED),
        ("InvalidSignatureException", 403, Failure.FORBIDDEN),
        # ... and codes that nobody documented, by their status.
        ("Teapot", 400, Failure.BAD_REQUEST),
        ("Teapot", 403, Failure.FORBIDDEN),
        ("Teapot", 404, Failure.NOT_FOUND),
        ("Teapot", 409, Failure.CONFLICT),
        ("Teapot", 418, Failure.BAD_REQUEST),
        ("Teapot", 429, Failure.THROTTLED),
        ("502", 502, Failure.UNAVAILABLE),
    ],
)
def test_answer_of_app_mesh_is_classified(code: str, status: int, failure: Failure) -> None:
    """The code decides, and the status where we do not know the code; the message is the API's own."""
    error = of_app_mesh(refused(code, status))
    assert (error.type, error.message) == (failure, "CreateRoute blue: said so")
    assert error.non_retryable is not failure.passes


def test_answer_without_a_body_is_still_classified() -> None:
    """A proxy's bare answer has no code and no message."""
    error = of_app_mesh(ClientError({"ResponseMetadata": {"HTTPStatusCode": 503}}, "CreateRoute"))
    assert error.type == Failure.UNAVAILABLE
    assert "CreateRoute" in error.message


@pytest.mark.parametrize("status", [404, 408, 409])
@pytest.mark.parametrize(
    "body", [b"default backend - 404", b"<html>404 Not Found</html>", b'{"message":"no Route matched"}', b"{}", b""]
)
def test_what_somebody_in_between_answers_says_nothing_of_an_object(status: int, body: bytes) -> None:
    """A load balancer with nothing behind it says 404 too, and a delete would count as done. As botocore reads it."""
    model = botocore.session.get_session().get_service_model("appmesh").operation_model("DeleteMesh")
    answer = {"status_code": status, "headers": {}, "body": body}
    error = of_app_mesh(ClientError(create_parser("rest-json").parse(answer, model.output_shape), "DeleteMesh"))
    assert (error.type, error.non_retryable) == (Failure.UNAVAILABLE, False)


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(EndpointConnectionError(endpoint_url="http://localhost:1"), id="nobody-listens"),
        pytest.param(ConnectTimeoutError(endpoint_url="http://localhost:1"), id="connect-timeout"),
        pytest.param(ReadTimeoutError(endpoint_url="http://localhost:1"), id="read-timeout"),
        pytest.param(NoCredentialsError(), id="no-credentials-yet"),
    ],
)
def test_no_answer_is_a_fault_that_passes(error: Exception) -> None:
    """Whatever keeps the call from being answered is tried again."""
    failed = of_app_mesh(error)
    assert (failed.type, failed.non_retryable) == (Failure.UNAVAILABLE, False)


def test_request_that_the_client_refuses_to_send_is_a_bad_request() -> None:
    """Botocore validates before it sends: that is the spec's fault, and no retry helps."""
    error = of_app_mesh(ParamValidationError(report="meshName: too long"))
    assert (error.type, error.non_retryable) == (Failure.BAD_REQUEST, True)
    assert "meshName: too long" in error.message


def test_long_text_is_cut_before_it_enters_a_history() -> None:
    """What others write is bounded."""
    assert len(of_app_mesh(refused("BadRequestException", 400, "x" * 5000)).message) == LONGEST_MESSAGE


def other_life(message: str) -> ApiException:
    """The API server's two ways to say that the uid is another one."""
    error = ApiException(status=409, reason="Conflict")
    error.body = message
    return error


def not_found(body: str | None) -> ApiException:
    """A 404 with this body."""
    return ApiException(status=404, reason="Not Found", body=body)


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        pytest.param(absent("shop"), Failure.GONE, id="not-there"),
        pytest.param(not_found("default backend - 404"), Failure.UNAVAILABLE, id="a-load-balancers-404"),
        pytest.param(not_found("404 page not found\n"), Failure.UNAVAILABLE, id="no-such-path"),
        pytest.param(not_found(None), Failure.UNAVAILABLE, id="a-bare-404"),
        pytest.param(
            not_found('{"kind":"Status","reason":"NotFound","details":{}}'), Failure.UNAVAILABLE, id="no-name"
        ),
        pytest.param(not_found('{"kind":"Status","reason":"NotFound"}'), Failure.UNAVAILABLE, id="no-details"),
        pytest.param(not_found("[]"), Failure.UNAVAILABLE, id="other-json"),
        pytest.param(other_life("the UID in the precondition (a) does not match the UID in record (b)"), Failure.GONE),
        pytest.param(other_life("Precondition failed: UID in precondition: a, UID in object meta: b"), Failure.GONE),
        pytest.param(ApiException(status=409, reason="Conflict"), Failure.UNAVAILABLE, id="conflict"),
        pytest.param(ApiException(status=422, reason="Invalid"), Failure.UNAVAILABLE, id="invalid"),
        pytest.param(ApiException(status=500, reason="etcd is away"), Failure.UNAVAILABLE, id="server-fault"),
        pytest.param(aiohttp.ServerDisconnectedError(), Failure.UNAVAILABLE, id="disconnected"),
        pytest.param(ConnectionRefusedError("refused"), Failure.UNAVAILABLE, id="nobody-listens"),
        pytest.param(TimeoutError(), Failure.UNAVAILABLE, id="timeout"),
    ],
)
def test_fault_of_kubernetes_is_classified(error: Exception, failure: Failure) -> None:
    """Either this life of the resource is over, or it passes; the message says what was tried."""
    failed = of_kubernetes(error)
    assert failed.type == failure
    assert failed.message.startswith("write status of Mesh shop: ")
    assert failed.non_retryable is (failure is Failure.GONE)


def test_every_failure_is_either_lasting_or_passes() -> None:
    """Retry policies name the lasting ones; nothing else may be among them."""
    assert set(LASTING) | {Failure.THROTTLED, Failure.UNAVAILABLE} == set(Failure)
