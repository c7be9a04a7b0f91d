"""The benchmarks still run: the smallest sizes, on real parts."""

import subprocess
import sys

import pytest


@pytest.mark.e2e
@pytest.mark.parametrize("name", ["api", "hundred"])
def test_a_scenario_runs_to_its_end(name: str) -> None:
    """Every line of its table is there; whether targets are met is not for a test to say."""
    command = [sys.executable, "-m", "benchmarks", name, "--size", "0.02"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "did not end" not in done.stdout
    assert done.stdout.count("at most") + done.stdout.count("at least") >= 3
