"""Meshes to try Meshwright with: manifests in folders, and the demo that tells their story from start to end."""
