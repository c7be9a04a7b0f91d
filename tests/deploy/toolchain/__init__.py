"""Tests of `deploy/local/toolchain/`."""
