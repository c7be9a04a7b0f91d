"""Tests of what is decided without Temporal: planners, plans, outcomes, reports, messages, state and names."""
