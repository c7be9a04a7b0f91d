"""What can go wrong with the local stack, for the person who typed the command.

::

    LocalStackError             everything below; the command prints its message and exits with 1
    ├── PartFailed              a part ended early or did not answer; carries its last log lines
    ├── PortTaken               a port that was asked for is in use
    ├── NotUp                   the command needs a running stack and DIR has none
    ├── SettingMissing          `--external` without the variable that says where, a part or port of no such name,
    │                           one number for two ports, no kubeconfig; the command exits with 2
    └── toolchain.errors.ToolchainError   a binary could not be had
"""


class LocalStackError(Exception):
    """Base of the room's errors; the message stands alone."""


class PartFailed(LocalStackError):
    """A part ended before it answered, or never answered."""


class PortTaken(LocalStackError):
    """A port that was asked for explicitly is in use."""


class NotUp(LocalStackError):
    """There is no running stack in this directory."""


class SettingMissing(LocalStackError):
    """A setting that this way of starting needs is not given, or cannot be used."""
