"""What the watcher does not see, and what it sees too late: made by the proxy before kube-apiserver."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from resources.kinds import GROUP, VERSION, Kind
from tests.faults.proxy import Call, Fault, Rule, no_fault
from tests.faults.rules import expired_watches, is_list, is_watch
from tests.faults.site import FaultSite
from tests.waiting import until

_JSON = {"Content-Type": "application/json"}
_AWAY = Fault(answer=(503, _JSON, b'{"kind": "Status", "code": 503}'))


@contextmanager
def watch_gap(site: FaultSite, forgotten: bool) -> Iterator[None]:
    """The watcher sees nothing during the block: its watches break off, and neither watches nor lists can be had.

    Args:
        site: where.
        forgotten: afterwards it is told 410 Gone, so it must list again; else it goes on where the watch broke off.
    """
    noticed = threading.Event()

    def blind(call: Call) -> Fault | None:
        if is_watch(call):
            noticed.set()
        return _AWAY if is_watch(call) or is_list(call) else None

    with site.kubernetes.ruled_by(blind):
        site.kubernetes.cut_streams()
        until(noticed.is_set, what="the watcher to have lost its watch")
        yield
    if forgotten:
        forget(site)


def forget(site: FaultSite, view: Rule = no_fault) -> None:
    """Every watch breaks off and is told 410 Gone when it is asked for again; the lists that follow get this view."""
    told: set[str] = set()
    listed: set[str] = set()
    expire = expired_watches()

    def rule(call: Call) -> Fault | None:
        if is_watch(call) and call.plain_path not in told:
            told.add(call.plain_path)
            return expire(call)
        if is_list(call):
            listed.add(call.plain_path)
        return view(call)

    with site.kubernetes.ruled_by(rule):
        site.kubernetes.cut_streams()
        until(lambda: len(listed) == len(Kind), what="every kind to be listed again")


def view_of_now(site: FaultSite) -> Rule:
    """A rule that answers the next list of each kind with what it holds at this moment, however late it is asked for.

    The watch that follows starts there too, so the watcher lives through everything since a second time.
    """
    pages = {
        f"/apis/{GROUP}/{VERSION}/{kind.plural}": json.dumps(site.cluster.kubernetes.listing(kind)).encode()
        for kind in Kind
    }

    def rule(call: Call) -> Fault | None:
        page = pages.pop(call.plain_path, None) if is_list(call) else None
        return Fault(answer=(200, _JSON, page)) if page is not None else None

    return rule
