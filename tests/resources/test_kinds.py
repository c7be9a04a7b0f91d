"""The strings by which clusters know the kinds."""

import pytest

from resources.kinds import API_VERSION, Kind


@pytest.mark.parametrize(
    ("kind", "slug", "plural", "namespaced", "finalizer"),
    [
        pytest.param(
            Kind.MESH, "mesh", "meshes", False, "meshDeletion.finalizers.appmesh.k8s.aws", id="mesh"
        ),
        pytest.param(
            Kind.VIRTUAL_NODE,
            "virtualnode",
            "virtualnodes",
            True,
            "virtualNodeDeletion.finalizers.appmesh.k8s.aws",
            id="virtual-node",
        ),
        pytest.param(
            Kind.VIRTUAL_SERVICE,
            "virtualservice",
            "virtualservices",
            True,
            "virtualServiceDeletion.finalizers.appmesh.k8s.aws",
            id="virtual-service",
        ),
    ],
)  # fmt: skip
def test_kinds_keep_the_strings_of_live_clusters(kind, slug, plural, namespaced, finalizer):
    """Plurals, scope and finalizers never change: objects in clusters carry them."""
    assert (kind.slug, kind.plural, kind.namespaced, kind.finalizer) == (slug, plural, namespaced, finalizer)
    assert API_VERSION == "appmesh.k8s.aws/v1beta1"
