"""Documentation is held against the code."""
