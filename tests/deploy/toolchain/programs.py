"""Descriptions of a made-up program, and files that pass for it."""

from collections.abc import Mapping
from pathlib import Path

from deploy.local.toolchain.binary import Binary, Recipe, Release

VERSION = "1.4.2"


def described(url: str = "http://127.0.0.1:1", member: str | None = None, **pinned: str) -> Binary:
    """A program called `tool`, published below a URL."""
    file = "tool.tar.gz" if member else "tool"
    pins: Mapping[str, str] = {name.replace("_", "/"): value for name, value in pinned.items()}
    return Binary(
        name="tool",
        version=VERSION,
        release=Release(f"{url}/v{{version}}/{file}", f"{url}/v{{version}}/SHA256SUMS", member, pins),
        recipe=Recipe("etcd", "example.com/tool"),
        version_command=("--version",),
        version_pattern=r"tool (v?\S+)",
        accepted=((1, 3), (2,)),
    )


def program(version: str = VERSION) -> bytes:
    """A script that tells its version."""
    return f"#!/bin/sh\necho tool v{version}\n".encode()


def put(folder: Path, version: str = VERSION, name: str = "tool") -> Path:
    """Install such a script."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(program(version))
    path.chmod(0o755)
    return path
