"""What is known of describes is true, whoever wrote in the meantime."""

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from control_plane.api.http import Response
from control_plane.api.shown import Shown

NODE = {"meshName": "shop", "virtualNodeName": "a"}


class Books:
    """A database of nodes: its revision, and for each the revision of its last write."""

    def __init__(self) -> None:
        self.revision: int | None = 0
        self.nodes: dict[str, int] = {}

    def describe(self, name: str) -> Response:
        """What a describe answers."""
        return Response(200, f"{name} of {self.nodes[name]}".encode(), revision=self.nodes[name])

    def write(self, name: str, *, delete: bool = False) -> Response:
        """Write, and answer with the node."""
        assert self.revision is not None
        self.revision += 1
        self.nodes[name] = self.revision
        answer = self.describe(name)
        if delete:
            del self.nodes[name]
        return answer


def named(name: str) -> dict[str, str]:
    """The parameters of an operation on a node."""
    return {"meshName": "shop", "virtualNodeName": name}


NAMES = st.sampled_from("abc")
STEPS = st.lists(st.tuples(st.sampled_from(["put", "delete", "describe", "tag", "replay", "fail", "meanwhile"]), NAMES))


@given(STEPS)
def test_what_is_recalled_is_what_the_database_holds(steps):
    """After every step, by us or by somebody else, between operations or in the middle of one."""
    books = Books()
    shown = Shown(lambda: books.revision)
    first: dict[str, Response] = {}
    for step, name in steps:
        act(step, name, books, shown, first)
        for each in "abc":
            known = shown.recall("DescribeVirtualNode", named(each))
            assert known is None or (each in books.nodes and known == books.describe(each))


def act(step: str, name: str, books: Books, shown: Shown, first: dict[str, Response]) -> None:
    """Carry out one step; `first` has the answers that a token would bring back."""

    def carry_out(operation, writes, respond):
        return shown.carry_out(operation, named(name), writes=writes, respond=respond)

    match step:
        case "put":
            first.setdefault(name, carry_out("UpdateVirtualNode", True, lambda: books.write(name)))
        case "delete":
            carry_out("DeleteVirtualNode", True, lambda: books.write(name, delete=True))
        case "tag":
            carry_out("TagResource", True, lambda: (books.write("d"), Response(200, b"{}"))[1])
        case "replay" if name in first:
            carry_out("CreateVirtualNode", True, lambda: (books.write("d"), first[name])[1])
        case "fail":
            with suppress(ZeroDivisionError):
                carry_out("CreateVirtualNode", True, lambda: 1 / 0)
        case "describe" if name in books.nodes:
            carry_out("DescribeVirtualNode", False, lambda: books.describe(name))
        case "meanwhile" if name in books.nodes:  # read, overtaken by a write of another process, and then answered
            before = books.describe(name)
            carry_out("DescribeVirtualNode", False, lambda: (books.write(name), before)[1])
        case _:
            books.write(name)


def test_what_was_written_or_described_is_known():
    """Both are answers to a describe; a delete's is not."""
    books = Books()
    shown = Shown(lambda: books.revision)
    written = shown.carry_out("CreateVirtualNode", NODE, writes=True, respond=lambda: books.write("a"))
    assert shown.recall("DescribeVirtualNode", NODE) == written
    books.write("b")
    assert shown.recall("DescribeVirtualNode", NODE) is None
    described = shown.carry_out("DescribeVirtualNode", NODE, writes=False, respond=lambda: books.describe("a"))
    assert shown.recall("DescribeVirtualNode", NODE) == described
    shown.carry_out("DeleteVirtualNode", NODE, writes=True, respond=lambda: books.write("a", delete=True))
    assert shown.recall("DescribeVirtualNode", NODE) is None


def test_only_describes_of_our_own_meshes_are_answered():
    """A mesh of somebody else is refused elsewhere, and a list is no describe."""
    books = Books()
    shown = Shown(lambda: books.revision)
    shown.carry_out("CreateVirtualNode", NODE, writes=True, respond=lambda: books.write("a"))
    assert shown.recall("DescribeVirtualNode", {**NODE, "meshOwner": "1"}) is None
    assert shown.recall("ListVirtualNodes", NODE) is None


def test_nothing_is_answered_while_the_database_does_not_tell_its_revision():
    """It may be another one by now."""
    books = Books()
    shown = Shown(lambda: books.revision)
    shown.carry_out("CreateVirtualNode", NODE, writes=True, respond=lambda: books.write("a"))
    books.revision = None
    assert shown.recall("DescribeVirtualNode", NODE) is None
    shown.carry_out("DescribeVirtualNode", NODE, writes=False, respond=lambda: books.describe("a"))
    assert shown.recall("DescribeVirtualNode", NODE) is None


def test_what_is_kept_is_bounded():
    """The answers that were given longest ago go first."""
    books = Books()
    shown = Shown(lambda: books.revision, most_bytes=31)

    def write(name: str) -> None:  # six bytes each
        shown.carry_out("UpdateVirtualNode", named(name), writes=True, respond=lambda: books.write(name))

    for name in ("a", "b", "c", "d", "e", "a", "f"):
        write(name)
    assert [name for name in "abcdef" if shown.recall("DescribeVirtualNode", named(name))] == list("acdef")
