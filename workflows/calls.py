"""How workflows call activities: queues, time limits and retry policies, in one place."""

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

from activities import names
from activities.failures import LASTING, Failure
from activities.messages import Call, ListRoutes, ListTags, Queues, Record, RoutesPage, Tags
from activities.names import Verb, operation
from activities.objects import ApiKind, ApiObject
from resources.ownership import Owner, tags_of
from workflows.planning.plan import Step

ONE_CALL = timedelta(seconds=15)
"""Limit on one attempt of an App Mesh call: a little more than the client's own (3 s to connect, 10 s to read).

"""

SIGN_OF_LIFE = timedelta(seconds=2)
"""How long a call that died with its worker is waited for: a worker gives signs of life for calls that take longer."""

APP_MESH_RETRIES = RetryPolicy(
    initial_interval=timedelta(milliseconds=200),
    maximum_interval=timedelta(seconds=5),
    maximum_attempts=8,
    non_retryable_error_types=LASTING,
)
"""About 20 seconds of tries; then the fault becomes a condition and the workflow's own, longer backoff goes on."""

KUBERNETES_RETRIES = RetryPolicy(
    initial_interval=timedelta(milliseconds=100),
    maximum_interval=timedelta(seconds=10),
    non_retryable_error_types=LASTING,
)
"""Unlimited: without Kubernetes there is nowhere to report to."""

LONGEST_LOCAL_WAIT = timedelta(seconds=3)
"""A local activity's delays beyond this are timers, so that a long outage does not hold workflow tasks open."""


class CallFailed(Exception):
    """An activity gave up: which failure, in whose words."""

    def __init__(self, failure: Failure, message: str) -> None:
        super().__init__(message)
        self.failure = failure
        self.message = message


async def kubernetes(name: str, argument: BaseModel | str, summary: str, result: type[Any] | None = None) -> Any:
    """Run a Kubernetes activity as a local activity.

    Raises:
        CallFailed: with `Failure.GONE`; everything else is retried until it succeeds.
    """
    try:
        return await workflow.execute_local_activity(
            name,
            argument,
            result_type=result,
            start_to_close_timeout=timedelta(seconds=10),
            retry_policy=KUBERNETES_RETRIES,
            local_retry_threshold=LONGEST_LOCAL_WAIT,
            summary=summary,
        )
    except (ActivityError, ApplicationError) as error:
        # The failure of a local activity arrives as it is, that of a regular one wrapped.
        raise _call_failed(error) from error


async def write(step: Step, reconcile: int, queues: Queues, owner: Owner) -> Record:
    """Make one change in App Mesh; what is created is tagged with its owner.

    Raises:
        CallFailed: of any failure but `GONE`.
    """
    token = client_token(step, reconcile) if step.verb is not Verb.DELETE else None
    tags = tags_of(owner) if step.verb is Verb.CREATE else None
    call = Call(object=step.object, spec=step.spec, client_token=token, tags=tags)
    record: Record = await remote(step.operation, call, step.summary, queues.writes, Record)
    return record


async def describe(object: ApiObject, queues: Queues) -> Record | None:
    """What App Mesh holds under a name; None when nothing.

    Raises:
        CallFailed: of any failure but `NOT_FOUND`.
    """
    name = operation(Verb.DESCRIBE, object.kind)
    try:
        record: Record = await remote(name, Call(object=object), f"Look at {object}", queues.reads, Record)
    except CallFailed as error:
        if error.failure is Failure.NOT_FOUND:
            return None
        raise
    return record


async def tags_of_object(record: Record, queues: Queues) -> dict[str, str] | None:
    """The tags of an object that exists; None when it is gone by now.

    Raises:
        CallFailed: of any failure but `NOT_FOUND`.
    """
    of = ListTags(object=record.object, arn=record.arn)
    try:
        found: Tags = await remote(names.LIST_TAGS, of, f"Whose is {record.object}", queues.reads, Tags)
    except CallFailed as error:
        if error.failure is Failure.NOT_FOUND:
            return None
        raise
    return found.tags


async def routes_of(router: ApiObject, queues: Queues) -> list[ApiObject]:
    """All routes of a router, page by page; none when there is no such router."""
    found: list[ApiObject] = []
    token: str | None = None
    while True:
        request = ListRoutes(router=router, next_token=token)
        try:
            page: RoutesPage = await remote(
                names.LIST_ROUTES, request, f"List routes of {router}", queues.reads, RoutesPage
            )
        except CallFailed as error:
            if error.failure is Failure.NOT_FOUND:
                return found
            raise
        found += [ApiObject(kind=ApiKind.ROUTE, mesh=router.mesh, name=name, router=router.name) for name in page.names]
        token = page.next_token
        if token is None:
            return found


async def observe(places: Sequence[ApiObject], routers: Sequence[ApiObject], queues: Queues) -> list[Record]:
    """Everything that exists at these places, and every route of these routers."""
    listed = await asyncio.gather(*(routes_of(router, queues) for router in routers))
    objects = [*places, *(route for routes in listed for route in routes)]
    described = await asyncio.gather(*(describe(object, queues) for object in objects))
    return [record for record in described if record is not None]


def client_token(step: Step, reconcile: int) -> str:
    """The same for every attempt of one step, and never the same for two steps: run, reconcile, operation, object."""
    parts = (workflow.info().run_id, str(reconcile), step.operation, str(step.object))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


async def remote(
    name: str,
    argument: BaseModel | str,
    summary: str,
    queue: str | None,
    result: type[Any] | None,
    limit: timedelta = ONE_CALL,
    heartbeat: timedelta | None = SIGN_OF_LIFE,
) -> Any:
    """Run an activity that calls App Mesh or Cloud Map.

    Args:
        name: the activity's.
        argument: the activity's.
        summary: for people; cut to what the Temporal UI takes.
        queue: the task queue of limited calls; None for the workflow's own.
        result: the type of what it returns; None when that does not matter.
        limit: on one attempt.
        heartbeat: how long an attempt may be silent; None when it gives no sign of life.

    Raises:
        CallFailed: of any failure but `GONE`.
    """
    try:
        return await workflow.execute_activity(
            name,
            argument,
            result_type=result,
            task_queue=queue,
            start_to_close_timeout=limit,
            heartbeat_timeout=heartbeat,
            retry_policy=APP_MESH_RETRIES,
            summary=summary[:200],
        )
    except ActivityError as error:
        raise _call_failed(error) from error


def _call_failed(error: ActivityError | ApplicationError) -> CallFailed:
    """Our failure out of Temporal's wrapping."""
    cause = error.cause if isinstance(error, ActivityError) else error
    if isinstance(cause, ApplicationError) and cause.type in set(Failure):
        return CallFailed(Failure(cause.type), cause.message)
    if isinstance(cause, ApplicationError):
        return CallFailed(Failure.UNAVAILABLE, f"{cause.type}: {cause.message}")
    return CallFailed(Failure.UNAVAILABLE, str(cause or error))
