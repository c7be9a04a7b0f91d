"""Tests mirror the rooms; `tests/e2e` runs the real parts."""
