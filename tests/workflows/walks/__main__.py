"""`python -m tests.workflows.walks [FIRST [HOW_MANY]]`: take many walks and tell which failed."""

import logging
import sys
import time

import structlog

from tests.workflows.walks.walk import Walk, simpler


def main(first: int = 0, how_many: int = 500) -> int:
    """Take them. A single one is told step by step."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    failed, began = 0, time.monotonic()
    for seed in range(first, first + how_many):
        walk = Walk.by_number(seed)
        try:
            walk.run()
        except AssertionError as error:
            failed += 1
            sys.stdout.write(f"{walk}: {str(error)[:300]}\n")
            if how_many == 1:
                walk = simpler(walk)
                try:
                    walk.run()
                except AssertionError as last:
                    error = last
                sys.stdout.write("\n".join([*walk.world.log, f"{walk}: {error}\n"]))
    sys.stdout.write(f"{failed} of {how_many} walks failed in {time.monotonic() - began:.0f} s\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:3])))
