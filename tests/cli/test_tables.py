"""Tables in a pipe: whatever is in them, one line for each row, so that grep and awk see whole rows."""

import pytest

from cli.diagnosis import Finding, Verdict
from cli.doctor import print_findings
from cli.history import print_history
from cli.proxies import table as proxies_table
from cli.reconciles import Call, Reconcile
from cli.standing import Standing
from cli.standings import print_standings
from cli.tables import Cell, Rows
from resources.phases import Phase

LONG = "VirtualNode late does not exist; " * 20 + "the end"
ADDRESS = "ipv6:[fe80::1]:51544"


def statuses():
    """A resource that waits for much, told by the API in two lines."""
    said = ("WaitingForVirtualNodes", f"{LONG}\n of it", 1, 1, "")
    print_standings(
        [Standing("VirtualService", "shop", "cart.shop.svc.cluster.local", "mesh", Phase.WAITING, *said)] * 2, "table"
    )


def reconciles():
    """A call that failed with many words."""
    calls = [Call("CreateRoute", "", 1, f"BadRequest: {LONG}\nof it")]
    print_history([("run", [Reconcile(1, ["seen"], 0.0, 1.0, calls)] * 2)], lambda run: None, "table")


def findings():
    """Something that failed, with what to do."""
    print_findings([Finding("Temporal", "connection", Verdict.FAILED, LONG, "start it, of it")] * 2, "table")


def connections():
    """A proxy with a long name, at an address with brackets."""
    proxy = {"proxy": f"mesh/shop/virtualNode/{LONG} of it", "state": "pending", "revision": 42, "acceptedRevision": 41}
    proxies_table([{**proxy, "protocol": "delta", "address": ADDRESS, "since": "2026-11-24T08:00:00"}] * 2).print()


@pytest.fixture(autouse=True)
def _nobody_says_how_wide(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.mark.parametrize("print_two", [statuses, reconciles, findings, connections])
def test_a_row_is_one_line_in_a_pipe(print_two, capsys):
    """Nothing folded, nothing cut off, no blanks at the end."""
    print_two()
    heading, *rows = capsys.readouterr().out.splitlines()
    assert heading == heading.rstrip()
    assert [f"{LONG} → start it, of it" in row or f"{LONG} of it" in row for row in rows] == [True, True]
    assert [row == row.rstrip() for row in rows] == [True, True]


@pytest.mark.parametrize("print_two", [statuses, reconciles, findings, connections])
def test_a_user_who_says_how_wide_has_it_so(print_two, capsys, monkeypatch):
    """`COLUMNS=100 meshwright status > file` is for reading."""
    monkeypatch.setenv("COLUMNS", "100")
    print_two()
    assert max(map(len, capsys.readouterr().out.splitlines())) == 100


@pytest.mark.parametrize(
    ("print_two", "whole"),
    [
        (statuses, {"mesh", "Waiting", "WaitingForVirtualNodes", "not", "end"}),
        (reconciles, {"1970-01-01T00:00:00", "1.000", "seen", "as", "before"}),
        (findings, {"Temporal", "connection", "failed", "end", "start"}),
        (connections, {"pending", "42", "41", "delta", "VirtualNode", "end"}),
    ],
)
def test_a_terminal_of_eighty_columns_cuts_nothing_off(print_two, whole, capsys, monkeypatch):
    """Names, which are long, are folded as messages are; short words stay whole."""
    monkeypatch.setenv("COLUMNS", "80")
    print_two()
    said = capsys.readouterr().out.split()
    assert [word for word in whole if said.count(word) < 2] == []


def test_columns_stand_below_one_another_and_brackets_stay(capsys):
    """So that `cut` works too; a name is no markup."""
    Rows(("NAME", "STATE"), [("a[b]", Cell("ok", "green")), (ADDRESS, "")]).print()
    assert capsys.readouterr().out == f"NAME                  STATE\na[b]                  ok\n{ADDRESS}\n"
