"""The watcher: index, mapping, delivery, streams."""
