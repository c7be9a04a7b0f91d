"""Measurements on the real parts: `make bench`, or `python -m benchmarks NAME` for one. Never part of the tests.

Machines are noisy: read counts as exact, times as this machine's, and compare ratios.
"""
