"""The whole stack on one machine, as plain processes: no container engine, no cluster, nothing installed.

Read it in this order. `part.py` says what a part is; `etcd.py`, `kube_apiserver.py`, `temporal.py`,
`control_plane.py`, `cloudmap.py`, `watcher.py`, `worker.py` and `injector.py` describe one each, out of what `site.py`
has gathered (ports, keys, programs, what is external). `process.py` runs one, `supervisor.py` keeps all running,
`session.py` is a supervisor's life from taking DIR's lock to giving it back, and `stack.py` is what everybody else
uses: the commands, tests, benchmarks and the demo. `toolchain/` finds, downloads or builds the programs.

Two rules. Whatever is in DIR/run is only believed together with the lock and with a process's identity, so a crash at
any point leaves nothing that the next `up` or `down` does not clear away. And only the supervisor's main thread starts
processes (see `process.py`).
"""
