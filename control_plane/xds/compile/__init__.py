"""The compiler: from a mesh's state to what one proxy is to be told. Pure, without I/O, clock or chance.

A proxy's configuration is made of parts that do not depend on the proxy (a virtual service's virtual host, a virtual
node's cluster) and of the few that do (its listeners, and which parts it gets). What Envoy cannot be told becomes a
`Problem` at the object and field where the user wrote it, and only what it concerns is left out: one bad service never
blocks the others on its port.
"""

from control_plane.xds.compile.compiler import Compiler, compile_proxy
from control_plane.xds.compile.options import Options, options_of

__all__ = ["Compiler", "Options", "compile_proxy", "options_of"]
