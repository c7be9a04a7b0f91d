"""Retry policies: App Mesh's events in Envoy's words, and App Mesh's policy where a route has none."""

from envoy.config.route.v3.route_components_pb2 import RetryPolicy
from envoy.extensions.retry.host.previous_hosts.v3.previous_hosts_pb2 import PreviousHostsPredicate

from control_plane.xds.compile.messages import packed, uint32
from control_plane.xds.compile.place import Place

# What each event is to Envoy, and the status codes that it stands for, by the App Mesh documentation of the events.
_CONDITIONS = {
    "server-error": ("reset",),
    "gateway-error": ("reset",),
    "stream-error": ("refused-stream",),
    "connection-error": ("connect-failure",),
}
_STATUS_CODES = {
    "server-error": (500, 501, 502, 503, 504, 505, 506, 507, 508, 510, 511),
    "gateway-error": (502, 503, 504),
    "client-error": (409,),
}
_EVENT_LISTS = ("httpRetryEvents", "tcpRetryEvents", "grpcRetryEvents")
_ATTEMPTS_TO_FIND_ANOTHER_HOST = 5


def retry_policy(policy: Place) -> RetryPolicy:
    """The policy of a route that has one."""
    events = [event for name in _EVENT_LISTS for event in policy.value.get(name, ())]
    # gRPC's events are called in Envoy as they are in App Mesh.
    conditions = [condition for event in events for condition in _CONDITIONS.get(event, _grpc(event))]
    codes = sorted({code for event in events for code in _STATUS_CODES.get(event, ())})
    message = _policy(conditions, codes, policy.value["maxRetries"])
    timeout = policy["perRetryTimeout"].duration()
    if timeout is not None:
        message.per_try_timeout.CopyFrom(timeout)
    return message


def default_retry_policy() -> RetryPolicy:
    """What App Mesh does for routes without a policy."""
    return _policy(["connect-failure", "refused-stream", "reset", "unavailable"], [503], 2)


def _grpc(event: str) -> tuple[str, ...]:
    return () if event in _STATUS_CODES else (event,)


def _policy(conditions: list[str], codes: list[int], retries: int) -> RetryPolicy:
    if codes:
        conditions = [*conditions, "retriable-status-codes"]
    message = RetryPolicy(
        retry_on=",".join(dict.fromkeys(conditions)),
        num_retries=uint32(retries),
        retriable_status_codes=codes,
        host_selection_retry_max_attempts=_ATTEMPTS_TO_FIND_ANOTHER_HOST,
    )
    predicate = message.retry_host_predicate.add(name="envoy.retry_host_predicates.previous_hosts")
    predicate.typed_config.CopyFrom(packed(PreviousHostsPredicate()))
    return message
