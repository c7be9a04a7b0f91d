"""Tests of `deploy/`: the local stack, and where its programs come from."""
