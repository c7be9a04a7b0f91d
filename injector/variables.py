"""The environment variables of injected containers: what they are for. The reference is made from this table.

The names are App Mesh's where it has one, so that its images understand them.
"""

from dataclasses import dataclass

from injector.proxy_bootstrap import TOKEN_VARIABLE
from resources.pods import VARIABLE


@dataclass(frozen=True)
class Variable:
    """An entry of the reference documentation."""

    name: str
    container: str
    meaning: str


_BOTH = "`envoy`"
_AGENT = "`envoy`, the agent's image only"
_INIT = "`proxyinit`"

VARIABLES = (
    Variable(
        VARIABLE,
        _BOTH,
        "`mesh/MESH/virtualNode/NODE`: who the proxy is. Cloud Map's registration reads it off the pod too.",
    ),
    Variable(TOKEN_VARIABLE, _BOTH, "The token of `--inject-token-secret`, from the Secret; only where one is set."),
    Variable("ENVOY_CONFIG_FILE", _AGENT, "The bootstrap, a file made of the annotation `meshwright.dev/bootstrap`."),
    Variable("ENVOY_LOG_LEVEL", _AGENT, "`--inject-log-level`."),
    Variable("ENVOY_ADMIN_ACCESS_PORT", _AGENT, "Port of Envoy's admin interface, on 127.0.0.1."),
    Variable("APPMESH_PREVIEW", _AGENT, "`1` with the annotation `preview`, else `0`."),
    Variable("AWS_REGION", _AGENT, "`--app-mesh-region`."),
    Variable("APPMESH_START_ENABLED", _INIT, "`1`: set up the redirection."),
    Variable("APPMESH_IGNORE_UID", _INIT, "Whose traffic is not redirected: the proxy's user."),
    Variable("APPMESH_ENVOY_INGRESS_PORT", _INIT, "Where incoming traffic is redirected to."),
    Variable("APPMESH_ENVOY_EGRESS_PORT", _INIT, "Where outgoing traffic is redirected to."),
    Variable("APPMESH_APP_PORTS", _INIT, "The application's ports, whose incoming traffic is redirected."),
    Variable("APPMESH_ENABLE_IPV6", _INIT, "`1` with `--inject-ipv6`: redirect IPv6 too."),
    Variable("APPMESH_EGRESS_IGNORED_IP", _INIT, "Addresses and networks to which traffic is not redirected."),
    Variable("APPMESH_EGRESS_IGNORED_PORTS", _INIT, "Ports to which traffic is not redirected."),
)
