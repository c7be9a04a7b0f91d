"""Random walks of the real workflow code: the SDK's own workflow runtime, driven without a server.

`execution` runs one workflow, `cluster` is what its Kubernetes activities work on, `watching` is the real watcher,
and `world` lets all of it happen in any order. `edits` says what people do, `walk` takes a walk and checks it, and
`python -m tests.workflows.walks` takes many.
"""
