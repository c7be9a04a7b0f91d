"""The pictures of Temporal's UI in `docs/how-to/temporal-ui.md`, made anew from a local stack: `make screenshots`."""
