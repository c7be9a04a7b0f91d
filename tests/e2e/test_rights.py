"""Story: somebody installs Meshwright by its manifests, and its processes have the rights of their accounts alone."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config

from deploy.local.stack import LocalStack, StackSettings
from tests.deploy.installing import manifests
from tests.e2e.cluster import Cluster, clients_of


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A stack whose watcher and worker call the API server by the accounts of deploy/kubernetes."""
    with LocalStack(tmp_path_factory.mktemp("rights"), StackSettings(fast=True)) as stack, clients_of(stack) as cluster:
        kubeconfig = Path(stack.environment["KUBECONFIG"])
        admin = kubeconfig.read_text()
        api = config.new_client_from_config(str(kubeconfig), persist_config=False)
        try:
            cluster.kubernetes.apply(*manifests(), strict=True)
            for process in ("worker", "watcher"):
                kubeconfig.write_text(with_token(admin, token_of(api, process)))
                stack.restart(process)
        finally:
            api.close()
            kubeconfig.write_text(admin)
        yield cluster


def token_of(api: Any, account: str) -> str:
    """A token of a service account, as a pod of it would have."""
    request = client.AuthenticationV1TokenRequest(spec=client.V1TokenRequestSpec(audiences=[]))
    answer = client.CoreV1Api(api).create_namespaced_service_account_token(account, "meshwright", request)
    assert answer.status is not None
    return str(answer.status.token)


def with_token(kubeconfig: str, token: str) -> str:
    """The kubeconfig, for whoever has the token."""
    content = json.loads(kubeconfig)
    content["users"][0]["user"] = {"token": token}
    return json.dumps(content)


def test_the_accounts_rights_are_enough_for_a_whole_life(installed: Cluster) -> None:
    """Created, edited, told in Events and status, and deleted with its mesh: all by what the manifests grant."""
    world = installed.world("rights")
    shop = world.shop(1)
    installed.converge(*shop)
    assert all(installed.kubernetes.events(manifest) for manifest in shop)
    installed.kubernetes.delete(world.mesh())
    installed.wait_nothing_left(*shop)


def test_they_are_not_enough_for_anything_else(installed: Cluster) -> None:
    """A worker that is taken over reads no secret, starts no pod, and grants itself nothing."""
    kubeconfig = json.loads(Path(installed.stack.environment["KUBECONFIG"]).read_text())
    assert kubeconfig["users"][0]["user"].keys() == {"client-certificate-data", "client-key-data"}
    api = config.new_client_from_config(installed.stack.environment["KUBECONFIG"], persist_config=False)
    review = client.AuthorizationV1Api(api)
    for account in ("watcher", "worker"):
        for verb, group, resource in (
            ("get", "", "secrets"),
            ("list", "", "configmaps"),
            ("create", "", "pods"),
            ("create", "rbac.authorization.k8s.io", "clusterrolebindings"),
            ("create", "appmesh.k8s.aws", "meshes"),
        ):
            attributes = client.V1ResourceAttributes(verb=verb, group=group, resource=resource, namespace="default")
            spec = client.V1SubjectAccessReviewSpec(
                user=f"system:serviceaccount:meshwright:{account}", resource_attributes=attributes
            )
            answer = review.create_subject_access_review(client.V1SubjectAccessReview(spec=spec))
            assert answer.status is not None
            assert not answer.status.allowed, (account, verb, resource)
    api.close()
