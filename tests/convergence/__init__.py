"""Controller and control plane as they are, in one process, without Temporal and Kubernetes: does it all converge?"""
