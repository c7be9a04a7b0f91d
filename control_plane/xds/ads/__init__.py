"""Serves snapshots to proxies over the Aggregated Discovery Service, state-of-the-world and delta.

The vocabulary: a *stream* is one connection of one proxy. It has a *subscription* for each kind of resource: what the
proxy asked for, what it *holds* (has accepted), what is *in flight* (sent, neither accepted nor refused). A *watch*
gives the stream its newest snapshot. `staging` decides what each subscription may be *offered* now, so that nothing is
named before it is there, and nothing goes while it is named.

All that is decided is decided without I/O: `subscription`, `staging`, `sotw`, `delta` and `stream` are pure and get the
time as an argument. `server` reads, writes and waits. `source` is the border to those who make snapshots; nothing here
knows of App Mesh but the form of its node ids. The protocol: https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
"""
