"""The command: settings, options, clients."""
