"""List and watch the custom resources; tell the workflows of what changed, and of what depends on it."""
