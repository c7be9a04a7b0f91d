"""Events: what a pod's owner should find when looking later, as warnings are seen by whoever creates the pod alone.

A pod that is being admitted does not exist yet, and pods of a Deployment come and go: the Event is about the pod's
controller where it has one.
"""

import asyncio
import contextlib
import datetime
import hashlib
from collections.abc import Mapping
from typing import Any

import aiohttp
import structlog
from kubernetes.aio.client.exceptions import ApiException

from activities.resource_api import ResourceApi
from injector.review import Review

log = structlog.get_logger(__name__)

REPORTER = "meshwright-injector"
REASON = "VirtualNodeInDoubt"
_WAITING = 1000


class EventReporter:
    """Writes Events beside the reviews: a review never waits for one, and too many at once are dropped."""

    def __init__(self, api: ResourceApi) -> None:
        self._api = api
        self._waiting: asyncio.Queue[dict[str, Any]] = asyncio.Queue(_WAITING)

    def tell(self, review: Review, doubt: str) -> None:
        """Take note of a doubt about a pod."""
        now = datetime.datetime.now(datetime.UTC)
        event = event_object(review.pod, review.namespace, doubt, now)
        if event is not None:
            with contextlib.suppress(asyncio.QueueFull):
                self._waiting.put_nowait(event)

    async def run(self) -> None:
        """Write until cancelled. What cannot be written is logged and forgotten: it was a hint."""
        while True:
            event = await self._waiting.get()
            path = f"/api/v1/namespaces/{event['metadata']['namespace']}/events"
            try:
                await self._api.request("POST", path, event)
            except ApiException as error:
                if error.status != 409:  # it stands there already
                    log.warning("no event", status=error.status, reason=error.reason)
            except (TimeoutError, aiohttp.ClientError, OSError) as error:
                log.warning("no event", error=str(error)[:200])


def event_object(pod: Mapping[str, Any], namespace: str, doubt: str, now: datetime.datetime) -> dict[str, Any] | None:
    """The core/v1 Event; None for a pod without any name yet.

    Its name is made from what it says and of whom, so that a hundred pods of one Deployment make one Event.
    """
    metadata = pod.get("metadata") or {}
    about = _controller(metadata) or {"apiVersion": "v1", "kind": "Pod", "name": metadata.get("name") or ""}
    if not about["name"]:
        return None
    digest = hashlib.sha256("\0".join((about.get("uid", ""), about["name"], doubt)).encode()).hexdigest()[:16]
    at = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{about['name'][:200]}.{digest}", "namespace": namespace},
        "involvedObject": about | {"namespace": namespace},
        "type": "Warning",
        "reason": REASON,
        "message": doubt[:1024],
        "source": {"component": REPORTER},
        "reportingComponent": REPORTER,
        "firstTimestamp": at,
        "lastTimestamp": at,
        "count": 1,
    }


def _controller(metadata: Mapping[str, Any]) -> dict[str, Any] | None:
    for owner in metadata.get("ownerReferences") or ():
        if owner.get("controller"):
            return {name: owner[name] for name in ("apiVersion", "kind", "name", "uid")}
    return None
