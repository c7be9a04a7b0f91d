"""`make demo`: one mesh from `kubectl apply` to App Mesh and back, on real parts, with every claim checked.

`story.py` is the table of contents. Each chapter does something, shows it, and states what must be true of it; the
first statement that is not true ends the demo with a message, the place of the logs, and exit code 1.

- `manifests.py` is what we ask for; `cluster.py` hands it to Kubernetes and says how each resource stands.
- `app_mesh.py` reads back what App Mesh holds; `tree.py` is that as plain data, and draws it.
- `calls.py` counts App Mesh calls, by the control plane's own counter; `steps.py` lists a workflow's, by Temporal.
- `traffic.py` sends requests through real sidecars (`examples/traffic/`).
- `screen.py` and `progress.py` are all that prints.
"""
