"""What each process may have to do in Kubernetes: the rules of deploy/kubernetes once more, as questions. Pure data.

A test holds this table against the manifests, so that neither can be changed alone.
"""

from dataclasses import dataclass

from resources.kinds import GROUP, Kind

ADMISSION = "admissionregistration.k8s.io"


@dataclass(frozen=True, order=True)
class Right:
    """One verb on one resource."""

    process: str
    verb: str
    group: str
    resource: str
    name: str = ""

    def __str__(self) -> str:
        """As in `kubectl auth can-i`: `patch meshes.appmesh.k8s.aws/status`."""
        resource, _, subresource = self.resource.partition("/")
        qualified = f"{resource}.{self.group}" if self.group else resource
        return f"{self.verb} {qualified}" + (f"/{subresource}" if subresource else "")

    @property
    def attributes(self) -> dict[str, str]:
        """What a SelfSubjectAccessReview asks; in all namespaces."""
        resource, _, subresource = self.resource.partition("/")
        return {
            "verb": self.verb,
            "group": self.group,
            "resource": resource,
            "subresource": subresource,
            "name": self.name,
        }


PROCESSES = ("watcher", "worker", "injector")


def rights(webhook: str) -> tuple[Right, ...]:
    """All of them; `webhook` is the injector's configuration."""
    plurals = [kind.plural for kind in Kind]
    members = [kind.plural for kind in Kind if kind is not Kind.MESH]
    return (
        *(Right("watcher", verb, GROUP, plural) for plural in plurals for verb in ("list", "watch")),
        *(Right("watcher", verb, "", "pods") for verb in ("list", "watch")),
        *(Right("worker", verb, GROUP, plural) for plural in plurals for verb in ("get", "patch")),
        *(Right("worker", verb, GROUP, plural) for plural in members for verb in ("list", "delete")),
        *(Right("worker", "patch", GROUP, f"{plural}/status") for plural in plurals),
        Right("worker", "create", "", "events"),
        *(Right("injector", verb, GROUP, Kind.VIRTUAL_NODE.plural) for verb in ("list", "watch")),
        Right("injector", "create", "", "events"),
        *(Right("injector", verb, ADMISSION, "mutatingwebhookconfigurations", webhook) for verb in ("get", "patch")),
    )
