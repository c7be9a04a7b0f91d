"""Who writes, by what the caller says of itself in `User-Agent`.

A controller that follows the change feed has to tell its own writes from everybody else's. It puts a token
`meshwright/<cluster>` into the header, and the change log keeps it. Of any other client the log keeps the first token
(`Boto3/1.44.2`, `aws-cli/1.46.0`), for people who ask what that was. It is a claim, not a proof: the header is not
among the signed ones, and all who have an access key may write anyway.
"""

import re
from collections.abc import Mapping

LONGEST = 128

_CONTROLLER = re.compile(r"(?:^|\s)(meshwright/[a-z0-9][-a-z0-9]*)(?=\s|$)")


def caller_of(headers: Mapping[str, str]) -> str | None:
    """What the caller calls itself; None when it says nothing."""
    agent = headers.get("user-agent", "")
    if (found := _CONTROLLER.search(agent)) is not None:
        return found[1][:LONGEST]
    first = agent.split(maxsplit=1)[:1]
    return first[0][:LONGEST] if first else None
