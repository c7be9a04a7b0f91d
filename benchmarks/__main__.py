"""Runs every benchmark: the control plane alone, then reconciling and Cloud Map on the whole stack.

Takes about a quarter of an hour.
"""

import subprocess
import sys

RUNS = (
    ("benchmarks.control_plane",),
    ("benchmarks.edits",),
    ("benchmarks.reconcile", "--services", "0"),
    ("benchmarks.reconcile", "--services", "100"),
    ("benchmarks.xds",),
    ("benchmarks.effect",),
    ("benchmarks.injector",),
    ("benchmarks.cloud_map", "--pods", "500"),
    ("benchmarks.cloud_map", "--pods", "500", "--writes-per-second", "4", "--reads-per-second", "1"),
    ("benchmarks.reconcile", "--services", "100", "--writes-per-second", "8", "--idle", "0"),
)

for module, *arguments in RUNS:
    print(f"== {module} {' '.join(arguments)}", flush=True)
    subprocess.run([sys.executable, "-m", module, *arguments], check=True)
