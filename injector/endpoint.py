"""The webhook over HTTP: one path, an AdmissionReview in and an AdmissionReview out.

A review that makes no sense is answered with 400 and what is wrong with it, one that is too large with 413, a fault of
ours with 500: the API server then does as the webhook's failure policy says, and shows the text. Whoever reaches the
port may ask, so nothing is kept of what is beyond the bound.
"""

import json
import time
from collections.abc import Callable

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from control_plane.bounded_body import BodyTooLarge, ClientGone, bounded_body
from injector import metrics
from injector.configuration import Configuration
from injector.decision import Verdict, decide
from injector.directory import Directory
from injector.review import MalformedReview, Review, answer, read

log = structlog.get_logger(__name__)

PATH = "/inject"
MAX_BODY_BYTES = 1 << 22
"""The API server takes pods of 1.5 MiB at most; a review may hold two, the object and the one before it."""

Tell = Callable[[Review, str], None]
"""Told of each pod that was created with a doubt, and of the doubt."""


def create_app(configuration: Configuration, directory: Directory, tell: Tell) -> Starlette:
    """The application."""

    async def inject(request: Request) -> Response:
        try:
            body = await bounded_body(request.receive, MAX_BODY_BYTES)
        except ClientGone:
            return Response(status_code=400)  # which nobody reads
        except BodyTooLarge as error:
            log.warning("malformed review", error=str(error))
            metrics.REVIEWS.labels(metrics.MALFORMED).inc()
            return PlainTextResponse(f"meshwright injector: {error}\n", 413, {"connection": "close"})
        started = time.perf_counter()
        outcome, response = _answered(body, configuration, directory, tell)
        metrics.REVIEWS.labels(outcome).inc()
        metrics.DURATION.observe(time.perf_counter() - started)
        return response

    return Starlette(routes=[Route(PATH, inject, methods=["POST"])])


def _answered(body: bytes, configuration: Configuration, directory: Directory, tell: Tell) -> tuple[str, Response]:
    """What became of the pod, and the response."""
    try:
        review = read(body)
        verdict = decide(review.pod, review.namespace, configuration, directory) if review.creates else None
        content = json.dumps(answer(review, verdict))
    except MalformedReview as malformed:
        log.warning("malformed review", error=str(malformed))
        return metrics.MALFORMED, PlainTextResponse(f"meshwright injector: {malformed}\n", 400)
    except Exception:
        log.exception("review failed")
        return metrics.FAILED, PlainTextResponse("meshwright injector: a fault of its own; its log says more\n", 500)
    if verdict is None:
        return metrics.OTHER, _json(content)
    _log(review, verdict)
    if verdict.doubt is not None and not review.dry_run:
        tell(review, verdict.doubt)
    return verdict.outcome.value, _json(content)


def _json(content: str) -> Response:
    return Response(content, media_type="application/json")


def _log(review: Review, verdict: Verdict) -> None:
    metadata = review.pod.get("metadata") or {}
    log.info(
        "pod",
        namespace=review.namespace,
        pod=metadata.get("name") or metadata.get("generateName"),
        outcome=verdict.outcome.value,
        review=review.uid,
        **({"refusal": verdict.refusal} if verdict.refusal else {}),
    )
