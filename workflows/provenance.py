"""Whose the objects are that were found: memory and status first, then one look at the tags of what these leave open.

Sequences activities; every choice is made by `workflows.planning.adoption`.
"""

import asyncio
from collections.abc import Sequence

from temporalio import workflow

from activities.messages import Queues, Record
from resources.ownership import Owner
from workflows import calls
from workflows.messages import Snapshot
from workflows.names import cluster_of
from workflows.planning import adoption, deletion
from workflows.planning.plan import Observed


def owner_of(snapshot: Snapshot) -> Owner:
    """The resource, as the tags of what is created for it name it."""
    key = snapshot.key
    cluster = cluster_of(workflow.info().workflow_id)
    return Owner(cluster=cluster, namespace=key.namespace, name=key.name, uid=key.uid)


async def traced(
    found: Sequence[Record], known: Observed | None, snapshot: Snapshot, queues: Queues
) -> tuple[Record, ...]:
    """What was found, each with its origin.

    Args:
        found: what App Mesh answered.
        known: what was remembered before.
        snapshot: the resource.
        queues: where reads go.

    Raises:
        CallFailed: App Mesh would not say.
    """
    recognised = [(record, adoption.recognised(record, known, snapshot)) for record in found]
    unknown = [record for record, mine in recognised if mine is None]
    return (*(mine for _, mine in recognised if mine is not None), *await _asked(unknown, snapshot, queues))


async def verified(remembered: Observed, snapshot: Snapshot, queues: Queues) -> Observed:
    """What is remembered, with all doubt about it removed before anything is destroyed.

    Raises:
        CallFailed: App Mesh would not say.
    """
    doubted = deletion.doubtful(remembered)
    certain = tuple(record for record in remembered.records if record not in doubted)
    return adoption.usable((*certain, *await _asked(doubted, snapshot, queues)))


async def _asked(records: Sequence[Record], snapshot: Snapshot, queues: Queues) -> list[Record]:
    """Those of the records that still exist, with the origin that their tags tell."""
    cluster = owner_of(snapshot).cluster
    tags = await asyncio.gather(*(calls.tags_of_object(record, queues) for record in records))
    return [
        adoption.identified(record, found, cluster, snapshot)
        for record, found in zip(records, tags, strict=True)
        if found is not None
    ]
