"""AdmissionReviews as the API server sends them."""

import json
from collections.abc import Mapping
from typing import Any

from tests.injector.cases import NAMESPACE


def review(pod: Mapping[str, Any], **request: Any) -> dict[str, Any]:
    """A review of a pod that is about to be created; keywords replace fields of the request."""
    asked = {
        "uid": "review-1",
        "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "resource": {"group": "", "version": "v1", "resource": "pods"},
        "namespace": NAMESPACE,
        "operation": "CREATE",
        "dryRun": False,
        "object": pod,
    }
    kept = {name: value for name, value in (asked | request).items() if value is not None}
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": kept}


def body(content: Any) -> bytes:
    """As it is sent."""
    return json.dumps(content).encode()
