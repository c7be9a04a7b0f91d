"""Keeps the directory of VirtualNodes what the API server says it is."""

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

from injector.directory import Directory
from injector.metrics import VIRTUAL_NODES
from watcher.stream import Listing, Sighting


class Stream(Protocol):
    """What happens to VirtualNodes, for ever."""

    def follow(self) -> AsyncIterator[Listing | Sighting]:
        """Listings and sightings."""


class DirectoryWatch:
    """Follows a stream; until it has seen one listing, nobody can say that a node does not exist."""

    def __init__(self, stream: Stream, directory: Directory) -> None:
        self._stream = stream
        self._directory = directory
        self.listed = asyncio.Event()

    async def run(self) -> None:
        """Follow until cancelled."""
        async for item in self._stream.follow():
            if isinstance(item, Listing):
                self._directory.replace(item.items)
                self.listed.set()
            elif item.type == "DELETED":
                self._directory.remove(item.item)
            else:
                self._directory.add(item.item)
            VIRTUAL_NODES.set(len(self._directory))
