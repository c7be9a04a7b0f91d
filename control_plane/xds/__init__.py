"""The data plane's half of the control plane: what Envoy is told, and how.

The way of a change: the store writes it (`store/`), `feed` notices it and brings the `state` up to date, `compile/`
(pure) turns that state into a `snapshot` for each connected proxy, and `ads/` serves the snapshots over gRPC: new
clusters first, then what uses them, and what is no longer used last.
"""
