"""The process is killed (SIGKILL) at any moment under load: what it acknowledged is there when it is back."""

import random
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, HTTPClientError

from tests.control_plane import specs
from tests.control_plane.e2e.process import ControlPlaneProcess

pytestmark = pytest.mark.e2e

WRITERS = 4
ROUNDS = 6


class Writer(threading.Thread):
    """Creates, updates and deletes nodes of its own, and keeps what each was acknowledged to be."""

    def __init__(self, client: Any, number: int) -> None:
        super().__init__()
        self._client = client
        self._random = random.Random(number)
        self._prefix = f"writer-{number}"
        self._made = 0
        # By node: the version that was acknowledged last (None: deleted), and whether another write may have come.
        self.acknowledged: dict[str, tuple[int | None, bool]] = {}
        self.unexpected: list[Exception] = []

    def run(self) -> None:
        """Write until the connection breaks."""
        try:
            while True:
                self._write()
        except (HTTPClientError, EndpointConnectionError):
            pass  # the process was killed; `_write` has noted what is in doubt
        except ClientError as error:
            self.unexpected.append(error)

    def _write(self) -> None:
        alive = [name for name, (version, _) in self.acknowledged.items() if version is not None]
        if not alive or self._random.random() < 0.5:
            name = f"{self._prefix}-{self._made}"
            self._made += 1
            self.acknowledged[name] = (None, True)
            self._note(name, self._client.create_virtual_node(**_named(name), spec=specs.node()))
        else:
            name = self._random.choice(alive)
            self.acknowledged[name] = (self.acknowledged[name][0], True)
            if self._random.random() < 0.7:
                spec = specs.node(specs.listener(self._random.randint(1, 65535)))
                self._note(name, self._client.update_virtual_node(**_named(name), spec=spec))
            else:
                self._client.delete_virtual_node(**_named(name))
                self.acknowledged[name] = (None, False)

    def _note(self, name: str, answer: dict[str, Any]) -> None:
        self.acknowledged[name] = (answer["virtualNode"]["metadata"]["version"], False)


@pytest.fixture
def process(tmp_path, database_url) -> Iterator[ControlPlaneProcess]:
    """A control plane with a mesh, in SQLite or PostgreSQL."""
    made = ControlPlaneProcess(tmp_path, database_url=database_url)
    made.start()
    with made.client() as client:
        client.create_mesh(meshName="m")
    yield made
    made.kill()


def test_every_acknowledged_write_survives(process):
    """Over several kills under concurrent writes: nothing acknowledged is lost, nothing half-done is seen."""
    delays = random.Random(0)
    with process.client() as client:
        for round_ in range(ROUNDS):
            writers = [Writer(client, round_ * WRITERS + number) for number in range(WRITERS)]
            for writer in writers:
                writer.start()
            time.sleep(delays.uniform(0.2, 0.8))  # not a wait for something, but the moment to strike
            process.kill()
            for writer in writers:
                writer.join()
            process.start()
            found = _versions(client)
            for writer in writers:
                assert writer.unexpected == []
                assert writer.acknowledged
                for name, expected in writer.acknowledged.items():
                    _assert_survived(name, expected, found.pop(name, None))
            assert found == {}
            for name in _versions(client):
                client.delete_virtual_node(**_named(name))
    if process.database_url.startswith("sqlite"):
        _assert_sound(process.database_url.removeprefix("sqlite:///"))


def _assert_survived(name: str, acknowledged: tuple[int | None, bool], found: int | None) -> None:
    """A node is as it was acknowledged, or as the one write made it whose answer was cut off."""
    version, in_doubt = acknowledged
    possible = {version}
    if in_doubt:
        possible |= {1, None} if version is None else {version + 1, None}
    assert found in possible, f"{name}: acknowledged {acknowledged}, found {found}"


def _assert_sound(database: str) -> None:
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def _named(name: str) -> dict[str, str]:
    return {"meshName": "m", "virtualNodeName": name}


def _versions(client: Any) -> dict[str, int]:
    pages = client.get_paginator("list_virtual_nodes").paginate(meshName="m")
    return {item["virtualNodeName"]: item["version"] for page in pages for item in page["virtualNodes"]}
