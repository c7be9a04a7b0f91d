"""The control plane: a self-hosted App Mesh that any AWS SDK can talk to by endpoint URL alone.

`api/` answers the 38 operations of the App Mesh service model (2019-01-25), `store/` keeps their state in SQLite or
PostgreSQL, `server.py` puts both behind one port. It knows nothing of Kubernetes or of the controller: all it
shares with them is the public App Mesh API.
"""
