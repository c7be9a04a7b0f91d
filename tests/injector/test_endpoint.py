"""The webhook over HTTP, without TLS: what it answers, and what it says of requests that make no sense."""

import base64
import json
from typing import Any

import httpx
import pytest

from injector import endpoint
from injector.decision import decide
from injector.directory import Directory
from injector.review import MalformedReview, read
from tests.injector.applying import applied
from tests.injector.cases import CONFIGURATION, NAMESPACE, NODES, container, pod
from tests.injector.reviews import body, review


class Webhook:
    """The application, and the doubts that it told of."""

    def __init__(self) -> None:
        self.told: list[str] = []
        app = endpoint.create_app(CONFIGURATION, Directory(NODES), lambda _review, doubt: self.told.append(doubt))
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://webhook")

    async def ask(self, content: bytes) -> httpx.Response:
        """One review."""
        return await self.client.post("/inject", content=content)

    async def answer(self, made: dict[str, Any], **request: Any) -> dict[str, Any]:
        """The response to the review of a pod."""
        response = await self.ask(body(review(made, **request)))
        assert response.status_code == 200
        content = response.json()
        assert (content["apiVersion"], content["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
        assert content["response"]["uid"] == "review-1"
        return dict(content["response"])


@pytest.fixture
def webhook() -> Webhook:
    """A webhook that knows the nodes of the golden files."""
    return Webhook()


async def test_a_pod_is_answered_with_the_patch(webhook: Webhook):
    """In the form that the API server reads: base64 of a JSON patch."""
    response = await webhook.answer(pod("any"))
    assert response["allowed"] is True
    assert response["patchType"] == "JSONPatch"
    patch = json.loads(base64.b64decode(response["patch"]))
    assert [each["name"] for each in applied(pod("any"), patch)["spec"]["initContainers"]] == ["proxyinit", "envoy"]
    assert webhook.told == []


async def test_a_pod_without_a_sidecar_is_let_through_as_it_is(webhook: Webhook):
    """No patch at all, so that nothing can go wrong with it."""
    made = pod("any", annotations={"sidecarInjectorWebhook": "disabled"})
    assert await webhook.answer(made) == {"uid": "review-1", "allowed": True}


async def test_a_bad_annotation_refuses_the_pod_and_is_named(webhook: Webhook):
    """With the status of an invalid object."""
    response = await webhook.answer(pod("any", annotations={"cpuRequest": "lots"}))
    assert response["allowed"] is False
    assert "patch" not in response
    assert response["status"]["code"] == 422
    assert response["status"]["message"] == (
        "no sidecar: annotation appmesh.k8s.aws/cpuRequest: 'lots' is not a quantity, such as 250m or 64Mi"
    )


async def test_a_doubt_is_warned_of_and_told(webhook: Webhook):
    """Warnings reach whoever creates the pod; the Event is for the others."""
    response = await webhook.answer(pod("any", "stranger"))
    assert response["allowed"] is True
    (warning,) = response["warnings"]
    assert "no VirtualNode is called stranger-sidecars" in warning
    assert len(webhook.told) == 1


async def test_a_dry_run_leaves_no_trace(webhook: Webhook):
    """The webhook says of itself that it has no side effects then."""
    response = await webhook.answer(pod("any", "stranger"), dryRun=True)
    assert len(response["warnings"]) == 1
    assert webhook.told == []


@pytest.mark.parametrize(
    "request_",
    [
        {"operation": "UPDATE"},
        {"operation": "CREATE", "subResource": "eviction"},
        {"operation": "DELETE", "object": None},
    ],
    ids=["update", "subresource", "delete"],
)
async def test_what_creates_no_pod_is_let_through(webhook: Webhook, request_: dict[str, Any]):
    """Whatever the webhook's rules may say one day."""
    assert await webhook.answer(pod("any"), **request_) == {"uid": "review-1", "allowed": True}


async def test_the_answer_is_that_of_the_pure_function(webhook: Webhook):
    """Nothing is decided here."""
    made = pod("any", "twin", container(port=9901))
    response = await webhook.answer(made)
    verdict = decide(made, NAMESPACE, CONFIGURATION, Directory(NODES))
    assert json.loads(base64.b64decode(response["patch"])) == list(verdict.patch)
    assert response["warnings"] == [warning[:256] for warning in verdict.warnings]


_POD = pod("any")
MALFORMED = [
    pytest.param(b"", "no JSON", id="empty"),
    pytest.param(b"\xff\xfe{", "no JSON", id="no-text"),
    pytest.param(b"[" * 100000, "no JSON", id="bottomless"),
    pytest.param(b"[]", "no AdmissionReview", id="a-list"),
    pytest.param(body({"kind": "Pod"}), "no AdmissionReview", id="a-pod"),
    pytest.param(
        body(review(_POD) | {"apiVersion": "admission.k8s.io/v1beta1"}), "expected admission.k8s.io/v1", id="version"
    ),
    pytest.param(body(review(_POD) | {"request": None}), "request is missing", id="no-request"),
    pytest.param(body(review(_POD, uid="")), "request.uid is missing", id="no-uid"),
    pytest.param(body(review(_POD, kind={"kind": "Node", "version": "v1"})), "expected a v1 Pod", id="a-node"),
    pytest.param(body(review(_POD, object=None)), "request.object is missing", id="no-object"),
    pytest.param(body(review(_POD, object=[1])), "request.object: expected an object", id="object-is-a-list"),
    pytest.param(body(review({"metadata": {}})), "request.object.spec is missing", id="no-spec"),
    pytest.param(body(review({"spec": {"containers": []}})), "expected at least one", id="no-containers"),
    pytest.param(body(review({"spec": {"containers": [{}]}})), "containers[0]: has no name", id="no-name"),
]


@pytest.mark.parametrize(("content", "problem"), MALFORMED)
async def test_a_review_that_makes_no_sense_is_told_what_is_wrong_with_it(
    webhook: Webhook, content: bytes, problem: str
):
    """With 400: the API server then does as the failure policy says, and shows the text."""
    with pytest.raises(MalformedReview):
        read(content)
    response = await webhook.ask(content)
    assert response.status_code == 400
    assert problem in response.text


async def test_a_fault_of_ours_is_an_error_and_no_half_a_sidecar(webhook: Webhook, monkeypatch: pytest.MonkeyPatch):
    """The API server gets no patch, and the caller nothing of our inner life."""

    def broken(*_arguments: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(endpoint, "decide", broken)
    response = await webhook.ask(body(review(pod("any"))))
    assert response.status_code == 500
    assert "secret" not in response.text
