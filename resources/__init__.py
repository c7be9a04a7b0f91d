"""The custom resources: what users write, what we report back, and what App Mesh is asked for. Data only, no I/O.

Read in this order:

- `kinds`: the three kinds.
- `mesh`, `virtual_node`, `virtual_service`: one model a kind, the only place where a field, its bounds and its
  description are stated.
- `parsing`: a Kubernetes object in, a model or one error with a field path out.
- `names`, `references`: what a resource is called in App Mesh, and what it points at.
- `conditions`: what users see.
- `translate/`: a model in, an App Mesh request shape out; `normal`: are two such shapes the same?
- `crd`: the CustomResourceDefinitions, derived from the models.

The rule a newcomer would break: nothing here may import a client library, read a clock or touch a file. Workflows
import this room and must stay deterministic.
"""
