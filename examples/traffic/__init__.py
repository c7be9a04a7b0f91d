"""Traffic through real sidecars on one machine: Envoys as plain processes, small services behind them, and a load.

The demo and the tests of traffic share it. No packet is redirected: a sidecar listens on ports of its own (explicit
ports), and who wants to reach a service of the mesh sends to its own sidecar, with the service's name in `Host`.
"""
