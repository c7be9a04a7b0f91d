"""Sidecars by themselves: a pod's Envoy and the capture of its traffic."""
