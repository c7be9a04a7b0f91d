"""What the metrics say of a refusal: it is there for as long as a proxy does without, not for a moment."""

from contextlib import closing

from prometheus_client.parser import text_string_to_metric_families

from tests.control_plane import specs
from tests.control_plane.test_standing_feed import Site, edited, serving
from tests.control_plane.web import Http
from tests.waiting import until


def refusing(site: Site) -> dict[str, float]:
    """Proxies that refuse something, by kind."""
    with closing(Http(site.api.url)) as web:
        families = text_string_to_metric_families(web.send("GET", "/metrics").body.decode())
    samples = [each for family in families for each in family.samples if each.name == "appmesh_xds_refusing_proxies"]
    return {each.labels["kind"]: each.value for each in samples}


def test_a_proxy_counts_for_as_long_as_it_refuses(tmp_path):
    """From nothing, which is told too, until the repair; and no longer than it is connected."""
    nobody = dict.fromkeys(("Listener", "RouteConfiguration", "Cluster", "ClusterLoadAssignment"), 0.0)
    with serving(tmp_path) as site, site.mesh() as mesh:
        assert refusing(site) == nobody
        with site.front() as proxy, site.front():
            site.wait(m=(2, 2))
            proxy.refusal = "not this one"
            site.wait(m=(2, edited(mesh)))
            assert refusing(site) == nobody | {"Cluster": 1.0}
            proxy.refusal = ""
            mesh.update("virtualNode", "front", specs.node(specs.listener(8080)))
            until(lambda: refusing(site), lambda found: found == nobody)
            proxy.refusal = "nor this one"
            site.wait(m=(2, edited(mesh)))
            assert refusing(site)["Cluster"] == 1.0
        until(lambda: refusing(site), lambda found: found == nobody)
