"""The three kinds of custom resource, and the strings by which Kubernetes and live clusters know them.

The group, the plurals and the finalizers are those of the controller that these manifests were first written for, so
that a cluster can change controllers without one object being recreated or stuck.
"""

from enum import StrEnum

GROUP = "appmesh.k8s.aws"
VERSION = "v1beta1"
API_VERSION = f"{GROUP}/{VERSION}"


class Kind(StrEnum):
    """A kind of custom resource; the value is what manifests write under `kind`."""

    MESH = "Mesh"
    VIRTUAL_NODE = "VirtualNode"
    VIRTUAL_SERVICE = "VirtualService"

    @property
    def slug(self) -> str:
        """The kind in lower case, as in workflow ids and log lines: `virtualnode`."""
        return self.value.lower()

    @property
    def label(self) -> str:
        """The kind as metrics write it: `virtual_node`."""
        return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in self.value).lstrip("_")

    @property
    def plural(self) -> str:
        """The resource's name in API paths: `virtualnodes`."""
        return "meshes" if self is Kind.MESH else f"{self.slug}s"

    @property
    def namespaced(self) -> bool:
        """Whether objects live in a namespace. A Mesh does not: it spans the cluster."""
        return self is not Kind.MESH

    @property
    def finalizer(self) -> str:
        """The finalizer that keeps an object until its App Mesh side is gone."""
        camel = self.value[0].lower() + self.value[1:]
        return f"{camel}Deletion.finalizers.{GROUP}"
