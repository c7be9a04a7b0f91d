"""The Kubernetes side as a user has it: apply manifests, edit, delete, and look at conditions and Events."""

import json
import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from kubernetes import config
from kubernetes.client import ApiException
from urllib3.exceptions import HTTPError

from resources.conditions import active_condition, condition_is_true
from resources.kinds import GROUP, VERSION, Kind
from tests.builders import Manifest
from tests.waiting import until

_APPLY = "application/apply-patch+yaml"
_MERGE = "application/merge-patch+json"


class Kubernetes:
    """A cluster by its kubeconfig; manifests in, the API server's JSON out."""

    def __init__(self, kubeconfig: str) -> None:
        self._client = config.new_client_from_config(kubeconfig, persist_config=False)

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def status_writes(self) -> dict[str, int]:
        """How many status writes of our kinds the API server has answered so far, by HTTP status."""
        call = self._client.param_serialize("GET", "/metrics", auth_settings=["BearerToken"])
        answer = self._client.call_api(*call)
        found: dict[str, int] = {}
        for line in answer.read().decode().splitlines():
            labels = dict(re.findall(r'(\w+)="([^"]*)"', line))
            ours = labels.get("group") == GROUP and labels.get("subresource") == "status"
            if ours and line.startswith("apiserver_request_total{"):
                found[labels["code"]] = found.get(labels["code"], 0) + int(float(line.rpartition(" ")[2]))
        return found

    def create(self, manifest: Manifest) -> None:
        """Make a new object, as `kubectl apply` does with one that is not there yet.

        Raises:
            ApiException: the API server refuses the manifest.
        """
        self._request("POST", path_of(manifest).rpartition("/")[0], manifest)

    def apply(self, *manifests: Manifest, strict: bool = False, dry_run: bool = False) -> None:
        """Server-side apply, one after the other; makes a namespace that is missing, as its owner would have.

        Args:
            manifests: what to apply.
            strict: refuse a field that its kind does not have.
            dry_run: have the API server judge and keep nothing (but the namespace).

        Raises:
            ApiException: the API server refuses a manifest.
        """
        for manifest in manifests:
            if namespace := manifest["metadata"].get("namespace"):
                self._apply(namespace_manifest(namespace))
            self._apply(manifest, ("&fieldValidation=Strict" if strict else "") + ("&dryRun=All" if dry_run else ""))

    def patch(self, manifest: Manifest, change: Mapping[str, Any], part: str = "") -> None:
        """Merge a change into the object that the manifest names; `part` may be `/status`."""
        self._request("PATCH", path_of(manifest) + part, change, _MERGE)

    def delete(self, *manifests: Manifest) -> None:
        """Ask for the end of these, and do not wait; one that does not exist is fine."""
        for manifest in manifests:
            try:
                self._request("DELETE", path_of(manifest))
            except ApiException as error:
                if error.status != 404:
                    raise

    def delete_now(self, manifest: Manifest) -> None:
        """End a pod without its grace period, as the kubelet does when the containers have stopped."""
        self._request("DELETE", path_of(manifest) + "?gracePeriodSeconds=0")

    def get(self, manifest: Manifest) -> Manifest | None:
        """The object as it is now, without the record of who manages which field; None when there is none."""
        try:
            found = self._request("GET", path_of(manifest))
        except ApiException as error:
            if error.status == 404:
                return None
            raise
        found["metadata"].pop("managedFields", None)
        return found

    def read(self, manifest: Manifest) -> Manifest:
        """The object, which must be there."""
        found = self.get(manifest)
        assert found is not None, f"{describe(manifest)} does not exist"
        return found

    def all(self) -> list[Manifest]:
        """Every custom resource of ours in the cluster."""
        found = []
        for kind in Kind:
            found += [item | {"kind": str(kind)} for item in self.listing(kind)["items"]]
        return found

    def listing(self, kind: Kind) -> dict[str, Any]:
        """All resources of a kind, as the API server lists them."""
        return self._request("GET", f"/apis/{GROUP}/{VERSION}/{kind.plural}")

    def condition(self, manifest: Manifest, type: str | None = None) -> dict[str, Any]:
        """A condition of the object, the main one by default; empty when it has none.

        Of a generation that is not the newest it says nothing, so it does not count.
        """
        found = self.get(manifest) or {}
        wanted = type or active_condition(Kind(manifest["kind"]))
        for condition in (found.get("status") or {}).get("conditions") or ():
            if condition["type"] == wanted and condition.get("observedGeneration") == found["metadata"]["generation"]:
                return dict(condition)
        return {}

    def events(self, manifest: Manifest) -> list[dict[str, Any]]:
        """The Events about the object."""
        namespace = manifest["metadata"].get("namespace", "default") if manifest["kind"] != "Mesh" else "default"
        listed = self._request("GET", f"/api/v1/namespaces/{namespace}/events")
        key = (manifest["kind"], manifest["metadata"]["name"])
        return [
            event
            for event in listed["items"]
            if (event["involvedObject"]["kind"], event["involvedObject"]["name"]) == key
        ]

    def wait_active(self, *manifests: Manifest) -> None:
        """Wait until the newest generation of each is Active."""
        for manifest in manifests:
            until(partial(self.get, manifest), is_active, f"{describe(manifest)} to be Active")

    def wait_reason(self, manifest: Manifest, reason: str) -> dict[str, Any]:
        """Wait until the newest generation's main condition has this reason; the condition."""
        return until(
            lambda: self.condition(manifest),
            lambda condition: condition.get("reason") == reason,
            f"{describe(manifest)} to have the reason {reason}",
        )

    def wait_gone(self, *manifests: Manifest) -> None:
        """Wait until none of them exists."""
        for manifest in manifests:
            until(partial(self.get, manifest), lambda found: found is None, f"{describe(manifest)} to be gone")

    def wait_not_deleting(self, *manifests: Manifest) -> None:
        """Wait until none of them is on its way out; those that do not exist are fine."""
        for manifest in manifests:
            until(
                partial(self.get, manifest),
                lambda found: found is None or "deletionTimestamp" not in found["metadata"],
                f"{describe(manifest)} to be gone",
            )

    def _apply(self, manifest: Manifest, query: str = "") -> None:
        self._request("PATCH", f"{path_of(manifest)}?fieldManager=e2e&force=true{query}", manifest, _APPLY)

    def _request(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, content_type: str = "application/json"
    ) -> dict[str, Any]:
        """A server that is away, or busy starting, is asked again, as tools do; some stories kill it."""
        headers = {"Accept": "application/json", "Content-Type": content_type}
        call = self._client.param_serialize(
            method, path, header_params=headers, body=body, auth_settings=["BearerToken"]
        )
        status, reason, content = until(
            partial(self._attempt, call), lambda answer: not _is_away(answer[0]), f"an answer to {method} {path}"
        )
        if not 200 <= status < 300:
            raise ApiException(status=status, reason=reason, body=content)
        decoded: dict[str, Any] = json.loads(content)
        return decoded

    def _attempt(self, call: tuple[Any, ...]) -> tuple[int, str, str]:
        try:
            answer = self._client.call_api(*call, _request_timeout=10)
            return answer.status, answer.reason, answer.read().decode()
        except (HTTPError, ApiException) as error:  # the client makes its own exception of trouble with TLS
            return 0, type(error).__name__, str(error)


def _is_away(status: int) -> bool:
    return status in (0, 429) or status >= 500


def path_of(manifest: Manifest) -> str:
    """Where the API server keeps the object."""
    version, kind, metadata = manifest["apiVersion"], manifest["kind"], manifest["metadata"]
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    # Public manifests give a Mesh a namespace, which the API server passes over.
    where = f"/namespaces/{metadata['namespace']}" if "namespace" in metadata and kind != Kind.MESH else ""
    plural = Kind(kind).plural if kind in set(map(str, Kind)) else re.sub("ys$", "ies", f"{kind.lower()}s")
    return f"{root}{where}/{plural}/{metadata['name']}"


def namespace_manifest(name: str) -> Manifest:
    """A Namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def is_active(found: Manifest | None) -> bool:
    """Whether the status says that the newest generation is in App Mesh."""
    if found is None:
        return False
    settled = (found.get("status") or {}).get("observedGeneration") == found["metadata"]["generation"]
    return settled and condition_is_true(found, active_condition(Kind(found["kind"])))


def describe(manifest: Manifest) -> str:
    """The object for people."""
    metadata = manifest["metadata"]
    return f"{manifest['kind']} {metadata.get('namespace', '-')}/{metadata['name']}"


def message_of(error: ApiException) -> str:
    """What the API server said."""
    return str(json.loads(error.body or "{}")["message"])
