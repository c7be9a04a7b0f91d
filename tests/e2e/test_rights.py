"""Story: somebody installs Meshwright by its manifests, and its processes have the rights of their accounts alone."""

import asyncio
import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config
from kubernetes.aio import config as aio_config

from activities.resource_api import ClusterApi
from deploy.local.stack import LocalStack, StackSettings
from injector.annotations import SWITCH
from injector.keeper import CertificateKeeper, Place
from tests.deploy.installing import manifests
from tests.e2e.cluster import Cluster, clients_of
from tests.e2e.kubernetes_api import namespace_manifest
from tests.injector.cases import owned_by, pod
from tests.waiting import until

PROCESSES = ("worker", "watcher", "injector")
ACCOUNTS = "system:serviceaccount:meshwright:"

Right = tuple[str, str, str, str]
"""An account, and what it may do: verb, group and resource, as `get`, `""`, `secrets`."""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A stack whose watcher and worker call the API server by the accounts of deploy/kubernetes."""
    with LocalStack(tmp_path_factory.mktemp("rights"), StackSettings(fast=True)) as stack, clients_of(stack) as cluster:
        kubeconfig = Path(stack.environment["KUBECONFIG"])
        admin = kubeconfig.read_text()
        api = config.new_client_from_config(str(kubeconfig), persist_config=False)
        try:
            # The local stack's own webhook of that name is at an address, and cannot be at a Service as well.
            wanted = [each for each in manifests() if each["kind"] != "MutatingWebhookConfiguration"]
            cluster.kubernetes.apply(*wanted, strict=True)
            for process in PROCESSES:
                kubeconfig.write_text(with_token(admin, token_of(api, process)))
                stack.restart(process)
        finally:
            api.close()
            kubeconfig.write_text(admin)
        yield cluster


@contextmanager
def webhook_installed(installed: Cluster) -> Iterator[dict[str, Any]]:
    """The webhook's configuration as it is installed, in place of the local stack's."""
    (found,) = (each for each in manifests() if each["kind"] == "MutatingWebhookConfiguration")
    installed.kubernetes.delete(found)
    installed.kubernetes.apply(found, strict=True)
    yield found
    installed.kubernetes.delete(found)
    installed.stack.restart("injector")


def token_of(api: Any, account: str) -> str:
    """A token of a service account, as a pod of it would have."""
    request = client.AuthenticationV1TokenRequest(spec=client.V1TokenRequestSpec(audiences=[]))
    answer = client.CoreV1Api(api).create_namespaced_service_account_token(account, "meshwright", request)
    assert answer.status is not None
    return str(answer.status.token)


def kubeconfig_of(cluster: Cluster, account: str, folder: Path) -> Path:
    """A kubeconfig for a service account."""
    admin = cluster.stack.environment["KUBECONFIG"]
    api = config.new_client_from_config(admin, persist_config=False)
    made = folder / "kubeconfig"
    made.write_text(with_token(Path(admin).read_text(), token_of(api, account)))
    api.close()
    return made


def with_token(kubeconfig: str, token: str) -> str:
    """The kubeconfig, for whoever has the token."""
    content = json.loads(kubeconfig)
    content["users"][0]["user"] = {"token": token}
    return json.dumps(content)


def test_the_accounts_rights_are_enough_for_a_whole_life(installed: Cluster) -> None:
    """Created, edited, told in Events and status, and deleted with its mesh: all by what the manifests grant."""
    live(installed)


def live(installed: Cluster) -> None:
    """The whole life of a mesh."""
    world = installed.world("rights")
    shop = world.shop(1)
    installed.converge(*shop)
    for manifest in shop:
        until(partial(installed.kubernetes.events, manifest), what=f"an Event about {manifest['metadata']['name']}")
    installed.kubernetes.delete(world.mesh())
    installed.wait_nothing_left(*shop)


def test_the_injectors_are_enough_to_judge_and_to_tell(installed: Cluster) -> None:
    """It follows the VirtualNodes, and writes an Event about a pod that matches none."""
    judge(installed)


def judge(installed: Cluster) -> None:
    """Have the injector judge a pod that matches no VirtualNode."""
    world = installed.world("rights")
    namespace = namespace_manifest(world.name)
    installed.kubernetes.apply(namespace)
    installed.kubernetes.patch(namespace, {"metadata": {"labels": {SWITCH: "enabled"}}})
    stranger = pod(
        "stranger",
        None,
        metadata={"namespace": world.name, "ownerReferences": [owned_by("StatefulSet", "stranger", "apps/v1")]},
    )
    installed.kubernetes.create(stranger)
    about = {"kind": "StatefulSet", "metadata": stranger["metadata"] | {"name": "stranger"}}
    until(lambda: installed.kubernetes.events(about), what="an Event about the pod's owner")
    installed.kubernetes.delete_now(stranger)


async def test_the_injectors_are_enough_to_look_after_its_certificate(installed: Cluster, tmp_path: Path) -> None:
    """It fills its Secret, and tells the API server whom to trust; the second look changes nothing."""
    with webhook_installed(installed) as webhook:
        await look_after_certificate(installed, webhook, tmp_path)


async def look_after_certificate(installed: Cluster, webhook: dict[str, Any], tmp_path: Path) -> None:
    """What the injector does for its certificate, by its account."""
    mine = kubeconfig_of(installed, "injector", tmp_path)
    secret = {"apiVersion": "v1", "kind": "Secret"} | {
        "metadata": {"name": "meshwright-injector", "namespace": "meshwright"}
    }
    async with await aio_config.new_client_from_config(str(mine), persist_config=False) as client_of_the_injector:
        place = Place("meshwright", "injector", "meshwright-injector")
        keeper = CertificateKeeper(ClusterApi(client_of_the_injector), place, tmp_path)
        await keeper.look()
        kept, told = installed.kubernetes.read(secret), installed.kubernetes.read(webhook)
        assert told["webhooks"][0]["clientConfig"]["caBundle"] == kept["data"]["ca.crt"]
        assert keeper.certificate.read_bytes() == base64.b64decode(kept["data"]["tls.crt"])
        await keeper.look()
        assert installed.kubernetes.read(secret) == kept


async def test_nothing_is_granted_that_is_not_asked_for_and_nothing_asked_for_that_is_not_granted(
    installed: Cluster, tmp_path: Path
) -> None:
    """By the API server's own audit log, over all that the processes do in these stories."""
    await asyncio.to_thread(judge, installed)
    with webhook_installed(installed) as webhook:
        await look_after_certificate(installed, webhook, tmp_path)
    await asyncio.to_thread(live, installed)
    await asyncio.to_thread(follow_pods, installed)
    events = audited(installed.stack.layout.audit_log)
    refused = {asked(each) for each in events if each["responseStatus"].get("code") == 403}
    assert refused == set()
    used = {asked(each) for each in events}
    assert granted() - used == set()
    assert used - granted() == set()


def follow_pods(installed: Cluster) -> None:
    """Have the watcher look at pods, as it does where a node is found by Cloud Map."""
    world = installed.world("rights")
    discovery = {"cloudMap": {"namespaceName": "rights.local", "serviceName": "mapped"}}
    mapped = world.node("mapped", serviceDiscovery=discovery)
    installed.kubernetes.apply(namespace_manifest(world.name), world.mesh(), mapped)
    log = installed.stack.layout.audit_log
    until(
        lambda: {("watcher", "watch", "", "pods")} & {asked(each) for each in audited(log)}, what="pods to be watched"
    )
    installed.remove(mapped, world.mesh())


def audited(log: Path) -> list[dict[str, Any]]:
    """What our accounts asked the API server for."""
    events = [json.loads(line) for line in log.read_text().splitlines()]
    return [each for each in events if each["user"]["username"].startswith(ACCOUNTS) and "objectRef" in each]


def asked(event: dict[str, Any]) -> Right:
    """Account, verb, group and resource of a request."""
    about = event["objectRef"]
    resource = "/".join(each for each in (about["resource"], about.get("subresource")) if each)
    return event["user"]["username"].removeprefix(ACCOUNTS), event["verb"], about.get("apiGroup", ""), resource


def granted() -> set[Right]:
    """All that the manifests grant, one by one."""
    roles = {each["metadata"]["name"]: each for each in manifests() if each["kind"] in ("Role", "ClusterRole")}
    found = set()
    for binding in (each for each in manifests() if each["kind"] in ("RoleBinding", "ClusterRoleBinding")):
        for subject in binding["subjects"]:
            for rule in roles[binding["roleRef"]["name"]]["rules"]:
                for verb, group, resource in product(rule["verbs"], rule["apiGroups"], rule["resources"]):
                    found.add((subject["name"], verb, group, resource))
    return found


def test_they_are_not_enough_for_anything_else(installed: Cluster) -> None:
    """A worker that is taken over reads no secret, starts no pod, and grants itself nothing."""
    kubeconfig = json.loads(Path(installed.stack.environment["KUBECONFIG"]).read_text())
    assert kubeconfig["users"][0]["user"].keys() == {"client-certificate-data", "client-key-data"}
    api = config.new_client_from_config(installed.stack.environment["KUBECONFIG"], persist_config=False)
    review = client.AuthorizationV1Api(api)
    for account in PROCESSES:
        for verb, group, resource in (
            ("get", "", "secrets"),
            ("list", "", "configmaps"),
            ("create", "", "pods"),
            ("create", "rbac.authorization.k8s.io", "clusterrolebindings"),
            ("create", "appmesh.k8s.aws", "meshes"),
            ("create", "admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
        ):
            attributes = client.V1ResourceAttributes(verb=verb, group=group, resource=resource, namespace="default")
            spec = client.V1SubjectAccessReviewSpec(
                user=f"system:serviceaccount:meshwright:{account}", resource_attributes=attributes
            )
            answer = review.create_subject_access_review(client.V1SubjectAccessReview(spec=spec))
            assert answer.status is not None
            assert not answer.status.allowed, (account, verb, resource)
    api.close()
