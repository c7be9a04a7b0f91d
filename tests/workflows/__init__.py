"""Workflows: planners, the entity loop, replays."""
