"""What it takes to run Meshwright somewhere: generated CRDs, and `local/`, the whole stack as plain processes."""
