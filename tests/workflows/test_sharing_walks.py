"""Orders of events that once went wrong with shared routers, some of them in a half-mended version; kept by number."""

import pytest

from tests.workflows.sharing_walks import Walk

ONCE_FAILED = {
    "the heir of a router goes before it has taken it over": Walk(518),
    "one that follows for another router is no heir": Walk(211),
    "two give a router to each other in one moment": Walk(1049),
    "one that left to an heir comes back while the heir is at it": Walk(935),
    "one that has turned and not said so is refused": Walk(20688, hasty=True),
    "one that follows two leaders tells both": Walk(2510, whole=True, hasty=True),
    "one that leads by now is not on its way to the router of one that goes": Walk(3121),
    "an heir that follows for another router is waited for in vain": Walk(1483, whole=True, hasty=True),
}


@pytest.mark.parametrize("walk", ONCE_FAILED.values(), ids=ONCE_FAILED)
def test_what_once_went_wrong_goes_right(walk):
    """Callers meet whole routings all along, and the end is as a fresh apply."""
    walk.run()
