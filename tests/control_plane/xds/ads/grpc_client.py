"""A program that calls a service by `xds:///NAME`, with gRPC's own reader of xDS, and prints who answered how often.

It is one, as gRPC reads GRPC_XDS_BOOTSTRAP once for a process.
"""

import json
import sys
from collections import Counter
from collections.abc import Callable

import grpc


def main(name: str, calls: int) -> None:
    """Call, count, print; then wait for a line, and do so again, until there is none."""
    with grpc.insecure_channel(f"xds:///{name}") as channel:
        say: Callable[..., bytes] = channel.unary_unary("/test.Colour/Say")
        while True:
            answers = Counter(say(b"", timeout=60, wait_for_ready=True).decode() for _ in range(calls))
            sys.stdout.write(json.dumps(answers) + "\n")
            sys.stdout.flush()
            if not sys.stdin.readline():
                return


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
