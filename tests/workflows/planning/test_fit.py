"""Our idea of what fits is the control plane's, which is App Mesh's."""

from types import SimpleNamespace
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from control_plane.api.rules import Surroundings
from control_plane.api.rules.routes import fits_its_router, routes_still_fit
from workflows.planning.fit import PROTOCOLS, fits

PORTS = st.sampled_from([8080, 9090])

routers = st.dictionaries(PORTS, st.sampled_from(list(PROTOCOLS.values()))).map(
    lambda ports: {"listeners": [{"portMapping": {"port": port, "protocol": ports[port]}} for port in sorted(ports)]}
)


@st.composite
def routes(draw: st.DrawFn) -> dict[str, Any]:
    """A route's spec, as far as its router cares."""
    match = draw(st.sampled_from([{}, {"match": {}}, {"match": {"port": 8080}}, {"match": {"port": 9090}}]))
    return {draw(st.sampled_from(list(PROTOCOLS))): match}


@given(route=routes(), router=routers)
def test_a_route_fits_where_the_api_takes_it(route: dict[str, Any], router: dict[str, Any]) -> None:
    """Written to a router that is there; and a router written where the route is there."""
    known = SimpleNamespace(key=SimpleNamespace(name="r"), spec=route)
    around = SimpleNamespace(parent=SimpleNamespace(spec=router), children=lambda kind: [known])
    given = cast(Surroundings, around)
    assert fits(route, router) is not any(fits_its_router(route, given))
    if router["listeners"]:
        assert fits(route, router) is not any(routes_still_fit(router, given))


def test_a_router_without_listeners_takes_any_route() -> None:
    """Also one whose spec says nothing at all."""
    assert fits({"grpcRoute": {"match": {"port": 1}}}, {})
