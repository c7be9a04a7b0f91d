"""`python -m tests.workflows.walks [FIRST [HOW_MANY]]`: take many walks and tell which failed.

A single one that fails is told step by step; then a simpler one is looked for that fails too, and told as well.
"""

import logging
import sys
import time

import structlog

from tests.workflows.walks.walk import Walk, simpler


def main(first: int = 0, how_many: int = 500) -> int:
    """Take them; 1 when one failed."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    failed, began = 0, time.monotonic()
    for seed in range(first, first + how_many):
        walk = Walk.by_number(seed)
        if (why := failure_of(walk)) is None:
            continue
        failed += 1
        sys.stdout.write(f"{walk}: {why[:300]}\n")
        if how_many == 1:
            tell(walk, why)
            walk = simpler(walk)
            tell(walk, failure_of(walk))
    sys.stdout.write(f"{failed} of {how_many} walks failed in {time.monotonic() - began:.0f} s\n")
    return 1 if failed else 0


def failure_of(walk: Walk) -> str | None:
    """What did not hold; None when all did."""
    try:
        walk.run()
    except AssertionError as error:
        return str(error)
    return None


def tell(walk: Walk, why: str | None) -> None:
    """All steps of a walk that was taken."""
    sys.stdout.write("\n".join([f"-- {walk}", *walk.world.log, f"-- {why}", ""]))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:3])))
