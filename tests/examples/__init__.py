"""Tests of `examples/`: what the demo prints, and what it checks."""
