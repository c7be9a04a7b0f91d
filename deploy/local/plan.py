"""What a supervisor is to start, handed over in a file because it may be another process.

Nothing secret is in it: keys stay in their files, the caller's environment is inherited.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.parts import ALL


@dataclass(frozen=True)
class StackSettings:
    """How a stack is to be started. Each default is what `meshwright up` does without a flag."""

    parts: tuple[str, ...] = ALL
    """Which parts; all that is not external."""
    external: frozenset[str] = frozenset()
    """What somebody else provides, out of `app-mesh`, `kubernetes`, `temporal`."""
    ports: Mapping[str, int] = field(default_factory=dict)
    """Ports that must have a certain number; the others are free ones."""
    fast: bool = False
    """Do not wait for the disk: for tests. A power cut may lose data; a killed process does not."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Added to the caller's environment, for settings of our own processes."""


@dataclass(frozen=True)
class Plan:
    """Settings, and the programs that were found for them."""

    settings: StackSettings
    binaries: Mapping[str, Path]

    def write(self, path: Path) -> None:
        """Keep everything but the environment."""
        content = {
            "parts": list(self.settings.parts),
            "external": sorted(self.settings.external),
            "ports": dict(self.settings.ports),
            "fast": self.settings.fast,
            "binaries": {name: str(binary) for name, binary in self.binaries.items()},
        }
        path.write_text(json.dumps(content, indent=2) + "\n")

    @classmethod
    def read(cls, path: Path) -> "Plan":
        """What `write` kept."""
        content = json.loads(path.read_text())
        settings = StackSettings(
            parts=tuple(content["parts"]),
            external=frozenset(content["external"]),
            ports=content["ports"],
            fast=content["fast"],
        )
        return cls(settings, {name: Path(binary) for name, binary in content["binaries"].items()})
