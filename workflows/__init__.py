"""One durable entity workflow per custom resource, and the pure planners that tell it what to do."""
