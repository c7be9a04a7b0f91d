"""Weights are what traffic does: counted, not read."""

from collections import Counter

import pytest

from tests.traffic.town import Town
from tests.waiting import until

REQUESTS = 10_000
MOST_UNLIKELY = 15.14
"""Chi-squared with one degree of freedom: exceeded once in ten thousand."""


@pytest.mark.parametrize("town", ["sotw", "delta"], indirect=True)
def test_a_canary_moves_the_traffic_to_where_it_says(town: Town):
    """From 70/30 to 10/90 by one apply, with nothing lost on the way."""
    town.open(town.service({"red": 70, "green": 30}))
    with town.loaded(keeping=8, renewing=2, pause=0.0) as load:
        until(lambda: load.answers.total(), lambda count: count >= REQUESTS, "enough requests")
        before = load.take()
        town.cluster.kubernetes.apply(town.service({"red": 10, "green": 90}))
        until(lambda: mostly_green(load.take()), what="the canary to take effect", every=0.1)
        until(lambda: load.answers.total(), lambda count: count >= REQUESTS // 4, "enough requests")
        after = load.take()
    assert load.failures == []
    assert chi_squared(before["red"], before["green"], 0.7) < MOST_UNLIKELY
    assert chi_squared(after["red"], after["green"], 0.1) < MOST_UNLIKELY


def mostly_green(answers: Counter[str]) -> bool:
    """Whether the new weights are at work."""
    return answers["green"] > 4 * answers["red"]


def chi_squared(first: int, second: int, share: float) -> float:
    """How unlike these counts are a split with this share of the first."""
    expected = (first + second) * share, (first + second) * (1 - share)
    return sum((seen - wanted) ** 2 / wanted for seen, wanted in zip((first, second), expected, strict=True))
