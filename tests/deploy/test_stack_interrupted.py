"""Ctrl-C in the moment after the supervisor was started, before it has taken the lock that says so."""

from pathlib import Path

import psutil
import pytest

from deploy.local.stack import LocalStack, StackSettings


@pytest.mark.timeout(60)
def test_an_interrupt_right_after_the_start_stops_the_supervisor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever interrupts `start` gets the prompt back, and no supervisor goes on behind it."""
    stack = LocalStack(tmp_path, StackSettings(parts=("control-plane",)))

    def interrupted(_observe: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(stack, "_wait_up", interrupted)
    before = {child.pid for child in psutil.Process().children()}
    with pytest.raises(KeyboardInterrupt):
        stack.start()
    assert {child.pid for child in psutil.Process().children()} == before
    assert not stack.is_up
