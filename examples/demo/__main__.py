"""`python -m examples.demo [--keep]`; all of it is in `command.py`."""

import signal
import sys

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # while modules load there is nothing to clean up, nor to explain
    from examples.demo.command import main

    sys.exit(main())
