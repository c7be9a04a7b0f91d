"""Asks every part of an installation what `meshwright doctor` wants to know; what the answers mean is not decided here.

All parts are asked side by side, and none is waited for longer than `PATIENCE_SECONDS`. Nothing is written anywhere: an
access review is a question, though it is asked with POST.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import aiohttp
import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from kubernetes.aio.client.exceptions import ApiException
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeTaskQueueRequest,
    GetSystemInfoRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.resource_api import ClusterApi
from cli import clients
from cli.diagnosis import AppMesh, CloudMap, Facts, Kubernetes, Silence, Temporal, Webhook
from cli.rights import Right, rights
from cli.settings import Settings, SettingsError
from resources.kinds import GROUP, Kind
from watcher.feed import INTERRUPTIONS, NotOffered

T = TypeVar("T")

PATIENCE_SECONDS = 10
_FAULTS = (ApiException, aiohttp.ClientError, OSError, TimeoutError, RPCError, RuntimeError, ValueError, SettingsError)


async def examine(settings: Settings, processes: Collection[str], account: str | None = None) -> Facts:
    """All facts; `account` is whose rights are asked for, in place of our own, and `processes` whose needs."""
    kubernetes, temporal, app_mesh, cloud_map = await asyncio.gather(
        _or_silence("kubernetes", lambda: _kubernetes(settings, processes, account)),
        _or_silence(settings.temporal_address, lambda: _temporal(settings)),
        _or_silence(settings.app_mesh_endpoint or "", lambda: _app_mesh(settings)),
        _or_silence(settings.cloud_map_endpoint or "", lambda: _cloud_map(settings)),
    )
    return Facts(kubernetes, temporal, app_mesh, cloud_map)


async def _or_silence(address: str, ask: Callable[[], Awaitable[T]]) -> T | Silence:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await ask()
    except TimeoutError:
        return Silence(address, f"no answer within {PATIENCE_SECONDS} s")
    except (*_FAULTS, BotoCoreError) as error:
        return Silence(address, " ".join(str(error).split())[:300])


async def _kubernetes(settings: Settings, processes: Collection[str], account: str | None) -> Kubernetes:
    async with await clients.kubernetes() as client:
        api = ClusterApi(client)
        version = await api.request("GET", "/version")
        wanted = [right for right in rights(settings.injector_webhook) if right.process in processes]
        definitions, webhook = await asyncio.gather(_definitions(api), _webhook(api, settings.injector_webhook))
        if account is not None:
            client.set_default_header("Impersonate-User", account)
        return Kubernetes(
            address=client.configuration.host,
            version=str(version.get("gitVersion", "")),
            definitions=definitions,
            rights=await _reviews(api, wanted),
            webhook=webhook,
            account=account or "",
        )


async def _definitions(api: ClusterApi) -> Mapping[Kind, Mapping[str, Any] | str | None]:
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    found = await asyncio.gather(*(_found(api, f"{path}/{kind.plural}.{GROUP}") for kind in Kind))
    return dict(zip(Kind, found, strict=True))


async def _found(api: ClusterApi, path: str) -> Mapping[str, Any] | str | None:
    """An object; None: there is none; a text: we are not let see it."""
    try:
        return await api.request("GET", path)
    except ApiException as error:
        if error.status == 404:
            return None
        if error.status == 403:
            return "this account may not read it"
        raise


async def _webhook(api: ClusterApi, name: str) -> Webhook | str | None:
    found = await _found(api, f"/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/{name}")
    if found is None or isinstance(found, str):
        return found
    webhooks = found.get("webhooks") or ()
    trusted = all(each["clientConfig"].get("caBundle") for each in webhooks)
    return Webhook(name, bool(webhooks) and trusted, tuple(each.get("failurePolicy", "") for each in webhooks))


async def _reviews(api: ClusterApi, wanted: Iterable[Right]) -> Mapping[Right, bool]:
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"

    async def allowed(right: Right) -> bool:
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": right.attributes},
        }
        answer = await api.request("POST", path, review)
        return bool(answer["status"].get("allowed"))

    asked = list(wanted)
    return dict(zip(asked, await asyncio.gather(*map(allowed, asked)), strict=True))


async def _temporal(settings: Settings) -> Temporal:
    client = await clients.temporal_now(settings)
    service = client.workflow_service
    info = await service.get_system_info(GetSystemInfoRequest())
    namespace = settings.temporal_namespace
    known = await _namespace_known(client, namespace)
    pollers = {settings.task_queue: await _pollers(client, settings.task_queue)} if known is True else {}
    return Temporal(settings.temporal_address, info.server_version, namespace, known, pollers)


async def _namespace_known(client: Client, namespace: str) -> bool | str:
    try:
        await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=namespace))
    except RPCError as error:
        return False if error.status is RPCStatusCode.NOT_FOUND else f"{error.status.name}: {error}"
    return True


async def _pollers(client: Client, queue: str) -> int | str:
    """Those that poll for workflow tasks: a worker that runs them runs all activities as well."""
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    try:
        answer = await client.workflow_service.describe_task_queue(request)
    except RPCError as error:
        return f"{error.status.name}: {error}"
    return len({poller.identity for poller in answer.pollers})


async def _app_mesh(settings: Settings) -> AppMesh | None:
    if settings.app_mesh_endpoint is None:
        return None
    address = settings.app_mesh_endpoint
    credentials = boto3.Session().get_credentials()
    key = credentials.access_key if credentials is not None else None
    code, message, skew = await asyncio.to_thread(_listed_meshes, settings)
    feed = await _feed(settings) if code is None else False
    return AppMesh(address, key, code, message, skew, feed)


def _listed_meshes(settings: Settings) -> tuple[str | None, str, float | None]:
    """Error code and message, or none; and how far the API's clock is ahead."""
    api = clients.app_mesh(settings)
    asked = time.time()
    try:
        metadata = api.list_meshes(limit=1)["ResponseMetadata"]
        error: Mapping[str, str] = {}
    except NoCredentialsError:
        return "NoCredentials", "", None
    except ClientError as refused:
        metadata, error = refused.response["ResponseMetadata"], refused.response["Error"]
    finally:
        api.close()
    return error.get("Code"), error.get("Message", ""), skew(metadata["HTTPHeaders"].get("date"), asked, time.time())


def skew(date: str | None, asked: float, answered: float) -> float | None:
    """Seconds by which the clock that wrote a Date header is ahead; 0 where the header's whole seconds allow it."""
    if date is None:
        return None
    try:
        theirs = parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None
    if theirs > answered:
        return theirs - answered
    return min(0.0, theirs + 1 - asked)


async def _feed(settings: Settings) -> bool | str:
    async with clients.app_mesh_session(settings) as session:
        feed = clients.change_feed(settings, session)
        if feed is None:
            return "switched off (MESHWRIGHT_CHANGE_FEED)"
        try:
            await feed.now()
        except NotOffered:
            return False
        except INTERRUPTIONS as error:
            return f"no answer: {error}"[:200]
        return True


async def _cloud_map(settings: Settings) -> CloudMap | None:
    if settings.cloud_map_endpoint is None:
        return None
    return await asyncio.to_thread(_listed_namespaces, settings, settings.cloud_map_endpoint)


def _listed_namespaces(settings: Settings, address: str) -> CloudMap:
    api = clients.cloud_map(settings)
    try:
        api.list_namespaces(MaxResults=1)
    except NoCredentialsError:
        return CloudMap(address, "no credentials to sign requests with")
    except ClientError as error:
        return CloudMap(address, str(error))
    finally:
        api.close()
    return CloudMap(address)
