"""The `meshwright` command: reads settings, builds the real clients, and starts what the other rooms define."""
