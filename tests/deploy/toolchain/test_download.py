import hashlib
import io
import os
import socket
import subprocess
import tarfile
import time
from pathlib import Path

import pytest

from deploy.local.toolchain.binary import this_platform
from deploy.local.toolchain.download import Limits, download, find_sum
from deploy.local.toolchain.errors import Unreachable, WayFailed
from tests.deploy.toolchain.programs import described, program
from tests.deploy.toolchain.release_server import Answer, cut_short, hang, serving, stall

QUICK = Limits(silence=0.2, whole=5.0)
FILE, SUMS = "/v1.4.2/tool", "/v1.4.2/SHA256SUMS"


def sums(body: bytes, name: str = "tool") -> bytes:
    """A vendor's file of checksums."""
    return f"{'0' * 64}  other\n{hashlib.sha256(body).hexdigest()}  {name}\n".encode()


def archive(**members: bytes) -> bytes:
    """A tar archive as vendors make them: a folder, and files in it."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as tar:
        for name, body in members.items():
            entry = tarfile.TarInfo(f"tool-v1.4.2-linux/{name}")
            entry.size = len(body)
            tar.addfile(entry, io.BytesIO(body))
    return target.getvalue()


def fetched(answers: dict[str, Answer], into: Path, member: str | None = None, limits: Limits = QUICK) -> Path:
    """Download the made-up program from a server with these answers."""
    with serving(answers) as server:
        return download(described(server.url, member), into, lambda _detail: None, limits)


def test_a_good_file_is_executable_and_nothing_else_is_left(tmp_path: Path):
    """The checksum agreed, so the program may run."""
    path = fetched({FILE: program(), SUMS: sums(program())}, tmp_path)
    assert subprocess.run([path], capture_output=True, text=True, check=True).stdout == "tool v1.4.2\n"
    assert os.listdir(tmp_path) == ["tool"]


def test_a_checksum_file_may_be_only_the_sum(tmp_path: Path):
    """As Kubernetes publishes them."""
    digest = hashlib.sha256(program()).hexdigest().encode()
    assert fetched({FILE: program(), SUMS: digest}, tmp_path).read_bytes() == program()


def test_the_program_is_taken_out_of_an_archive(tmp_path: Path):
    """Only the program, whatever else is packed."""
    body = archive(README=b"hello", tool=program())
    answers: dict[str, Answer] = {f"{FILE}.tar.gz": body, SUMS: sums(body, "tool.tar.gz")}
    assert fetched(answers, tmp_path, member="tool").read_bytes() == program()
    assert os.listdir(tmp_path) == ["tool"]


def test_a_pinned_checksum_needs_no_file_from_the_vendor(tmp_path: Path):
    """What we know ourselves is not asked for."""
    pinned = {"_".join(this_platform()): hashlib.sha256(program()).hexdigest()}
    with serving({FILE: program()}) as server:
        download(described(server.url, **pinned), tmp_path, lambda _detail: None, QUICK)
        assert server.requests == [FILE]


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        pytest.param({FILE: b"evil", SUMS: sums(program())}, "has the SHA-256 .* and should have", id="wrong-checksum"),
        pytest.param({SUMS: sums(program())}, "404 Not Found", id="no-such-file"),
        pytest.param({FILE: program()}, "404 Not Found", id="no-checksums"),
        pytest.param({FILE: program(), SUMS: b""}, "has no SHA-256 of tool", id="empty-checksums"),
        pytest.param({FILE: program(), SUMS: sums(program(), "x")}, "has no SHA-256 of tool", id="another-files-sum"),
        pytest.param(
            {FILE: cut_short(program()[:9], of=40), SUMS: sums(program())},
            r"broke off( after 9 of 40 bytes|:)",
            id="partial-body",
        ),
        pytest.param(
            {FILE: stall(program()[:9], of=40), SUMS: sums(program())}, "broke off: timed out", id="stalls-halfway"
        ),
    ],
)
def test_a_bad_file_is_refused_and_not_kept(tmp_path: Path, answers: dict[str, Answer], message: str):
    """The host is there, only this file is not good: another program's download may still work."""
    with pytest.raises(WayFailed, match=message) as failed:
        fetched(answers, tmp_path)
    assert not isinstance(failed.value, Unreachable)
    assert not (tmp_path / "tool").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"no archive", "the archive cannot be read", id="no-archive"),
        pytest.param(archive(README=b"hello"), "the archive has no tool", id="without-the-program"),
    ],
)
def test_an_archive_without_the_program_is_refused(tmp_path: Path, content: bytes, message: str):
    """Even though its checksum is right."""
    answers: dict[str, Answer] = {f"{FILE}.tar.gz": content, SUMS: sums(content, "tool.tar.gz")}
    with pytest.raises(WayFailed, match=message):
        fetched(answers, tmp_path, member="tool")


def test_a_host_that_never_answers_is_given_up_quickly(tmp_path: Path):
    """It counts as unreachable, so that nobody waits for it a second time."""
    started = time.monotonic()
    with pytest.raises(Unreachable, match="timed out"):
        fetched({SUMS: hang}, tmp_path)
    assert time.monotonic() - started < 2


def test_a_host_that_refuses_is_unreachable(tmp_path: Path):
    """Nobody listens there."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{reserved.getsockname()[1]}"
        with pytest.raises(Unreachable, match="Connection refused"):
            download(described(url), tmp_path, lambda _detail: None, QUICK)


def test_a_name_that_does_not_exist_is_unreachable(tmp_path: Path):
    """As behind a firewall without names of the outside."""
    with pytest.raises(Unreachable):
        download(described("http://name.invalid"), tmp_path, lambda _detail: None, QUICK)


def test_a_download_that_takes_too_long_in_all_is_stopped(tmp_path: Path):
    """A trickle is never silent, and yet never done."""

    def trickle(handler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not handler.server.stopping.wait(0.01):
            handler.wfile.write(b"x" * 300_000)

    with pytest.raises(WayFailed, match=r"took longer than 0\.1 s"):
        fetched({FILE: trickle, SUMS: sums(program())}, tmp_path, limits=Limits(silence=1.0, whole=0.1))


def test_progress_tells_megabytes(tmp_path: Path):
    """Of how many, where the vendor says so."""
    told: list[str] = []
    with serving({FILE: b"x" * 2_000_000, SUMS: sums(b"x" * 2_000_000)}) as server:
        download(described(server.url), tmp_path, told.append, QUICK)
    assert told[-1] == "2 of 2 MB"


def test_a_sum_is_found_by_the_exact_name():
    """Not by a name that only ends alike, and whatever mark for binary files is in front."""
    text = "aa  not-tool\nBB *tool\ncc  ./dist/other\n"
    assert find_sum(text, "tool", "here") == "bb"
    assert find_sum(text, "other", "here") == "cc"
