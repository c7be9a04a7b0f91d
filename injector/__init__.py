"""Sidecars by themselves: a pod's Envoy and the capture of its traffic.

`decision.py` is the heart, and pure: pod, namespace, settings and virtual nodes in, JSON patch or a reason why not
out. It asks `annotations.py` what the pod wants, `identity.py` which node it is, and puts together what `sidecar.py`
and `capture.py` make.
"""
