"""The supervisor as a process of its own: `python -m deploy.local DIR`, started by `meshwright up --detach`."""

import asyncio
import os
import sys
from pathlib import Path

from deploy.local import session
from deploy.local.errors import LocalStackError
from deploy.local.layout import Layout
from deploy.local.plan import Plan


def main(directory: str) -> int:
    """Run the plan in DIR; the exit code says whether it came up and was stopped in order."""
    layout = Layout.at(Path(directory))
    try:
        asyncio.run(session.run(layout, Plan.read(layout.plan), dict(os.environ)))
    except LocalStackError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
