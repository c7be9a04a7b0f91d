"""A PostgreSQL server of the tests' own, in a temporary directory, reached by a Unix socket.

`MESHWRIGHT_TEST_POSTGRES` may name a server instead (a URL whose user may create databases). PostgreSQL refuses to run
as root; where the tests do, it runs as `nobody`.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
from sqlalchemy import make_url

VARIABLE = "MESHWRIGHT_TEST_POSTGRES"
NOBODY = 65534

_numbers = count()


class PostgresMissing(Exception):
    """There is no PostgreSQL to test with; the message says what would help."""


@contextmanager
def postgres_server() -> Iterator[str]:
    """The URL of a server.

    Raises:
        PostgresMissing: none is named and none is installed.
    """
    if VARIABLE in os.environ:
        yield os.environ[VARIABLE]
        return
    programs = {name: shutil.which(name) for name in ("initdb", "postgres")}
    as_user = _as_ordinary_user()
    if not all(programs.values()) or as_user is None:
        raise PostgresMissing(f"no PostgreSQL: set {VARIABLE} to a URL, or put initdb and postgres on PATH")
    directory = Path(tempfile.mkdtemp(prefix="meshwright-postgres-"))
    try:
        if as_user:
            os.chown(directory, NOBODY, NOBODY)
        yield from _running(directory, programs["initdb"] or "", programs["postgres"] or "", as_user)
    finally:
        shutil.rmtree(directory)


def new_database(server_url: str) -> str:
    """The URL of an empty database on the server."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


def _running(directory: Path, initdb: str, postgres: str, as_user: list[str]) -> Iterator[str]:
    data = directory / "data"
    settings = ["-A", "trust", "-U", "test", "--no-sync", "--locale=C.UTF-8", "-E", "UTF8"]
    subprocess.run([*as_user, initdb, "-D", str(data), *settings], check=True, capture_output=True)
    options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={directory}", "-c", "fsync=off"]
    with (directory / "log").open("wb") as log:
        server = subprocess.Popen([*as_user, postgres, "-D", str(data), *options], stdout=log, stderr=log)
    try:
        url = f"postgresql://test@/postgres?host={directory}"
        _wait_for(url, server)
        yield url
    finally:
        server.terminate()
        server.wait(30)


def _as_ordinary_user() -> list[str] | None:
    """What to put before a command so that it does not run as root; None if that is impossible."""
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    return [setpriv, f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if setpriv else None


def _wait_for(url: str, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
