"""AdmissionReview v1: what the API server asks of a webhook, and the answer's form. Pure.

https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#request
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from injector.decision import Verdict

_API_VERSION = "admission.k8s.io/v1"
_WARNING_CHARACTERS = 256
"""Longer ones the API server may cut, or leave out."""


class MalformedReview(ValueError):
    """Not a review of a pod in the version that we speak; the message says what is wrong with it."""


@dataclass(frozen=True)
class Review:
    """What is asked: may this pod be created, and with what changes?"""

    uid: str
    namespace: str
    creates: bool
    dry_run: bool
    pod: Mapping[str, Any]


def read(body: bytes) -> Review:
    """The review in a request's body.

    Raises:
        MalformedReview: there is none.
    """
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedReview(f"the body is no JSON: {str(error)[:100]}") from error
    if not isinstance(content, dict) or content.get("kind") != "AdmissionReview":
        raise MalformedReview("the body is no AdmissionReview")
    if content.get("apiVersion") != _API_VERSION:
        raise MalformedReview(f"apiVersion {content.get('apiVersion')!r}: expected {_API_VERSION}")
    request = _object(content.get("request"), "request")
    uid = request.get("uid")
    if not isinstance(uid, str) or not uid:
        raise MalformedReview("request.uid is missing")
    kind = _object(request.get("kind"), "request.kind")
    if (kind.get("group"), kind.get("version"), kind.get("kind")) != ("", "v1", "Pod"):
        raise MalformedReview(f"request.kind {kind!r}: expected a v1 Pod; which rules has the webhook?")
    creates = request.get("operation") == "CREATE" and not request.get("subResource")
    pod = _object(request.get("object"), "request.object") if creates else {}
    if creates:
        _check_pod(pod)
    return Review(
        uid=uid,
        namespace=str(request.get("namespace") or ""),
        creates=creates,
        dry_run=bool(request.get("dryRun")),
        pod=pod,
    )


def answer(review: Review, verdict: Verdict | None) -> dict[str, Any]:
    """What the API server is told; without a verdict the pod is let through."""
    response: dict[str, Any] = {"uid": review.uid, "allowed": verdict is None or verdict.refusal is None}
    if verdict is not None and verdict.refusal is not None:
        response["status"] = {"code": 422, "reason": "Invalid", "message": f"no sidecar: {verdict.refusal}"}
    if verdict is not None and verdict.patch:
        response["patchType"] = "JSONPatch"
        response["patch"] = base64.b64encode(json.dumps(verdict.patch).encode()).decode()
    if verdict is not None and verdict.warnings:
        response["warnings"] = [warning[:_WARNING_CHARACTERS] for warning in verdict.warnings]
    return {"apiVersion": _API_VERSION, "kind": "AdmissionReview", "response": response}


def _check_pod(pod: Mapping[str, Any]) -> None:
    """As far as the decision relies on it; the rest the API server sees to."""
    containers = _object(pod.get("spec"), "request.object.spec").get("containers")
    if not isinstance(containers, list) or not containers:
        raise MalformedReview("request.object.spec.containers: expected at least one")
    for number, container in enumerate(containers):
        if not isinstance(container, dict) or not isinstance(container.get("name"), str):
            raise MalformedReview(f"request.object.spec.containers[{number}]: has no name")


def _object(value: object, field: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MalformedReview(f"{field} is missing" if value is None else f"{field}: expected an object")
    return value
