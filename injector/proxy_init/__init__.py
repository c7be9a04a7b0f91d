"""Leads a pod's traffic to its proxy: what the environment asks for, and how the kernel is told.

`environment` reads the App Mesh variables, `nftables` and `iptables` write the rules (all three pure), `kernel` sets
them. What is set is replaced as a whole by each run: twice is once, and nothing at all is the undoing of it.
"""
