"""The documentation, and what writes the pages that are made from code."""
