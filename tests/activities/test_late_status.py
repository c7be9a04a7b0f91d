"""A write of a status that lands late: after a newer one, or once more. On the API in memory and on a real one."""

from typing import Any

import pytest
from kubernetes.aio.client.exceptions import ApiException

from activities.kubernetes import KubernetesActivities
from activities.messages import Queues, Status
from activities.resource_api import JSON_PATCH, MERGE_PATCH, Body, ResourceApi
from activities.status_patch import patch_of
from tests.activities.fake_cluster import FakeCluster
from tests.activities.test_kubernetes import create_mesh, metadata_of, path_of, run

ARN = "arn:aws:appmesh:us-west-2:000000000000:mesh/m~1"


class Counted:
    """An API whose requests are counted."""

    def __init__(self, api: ResourceApi) -> None:
        self.api = api
        self.methods: list[str] = []

    async def request(
        self, method: str, path: str, body: Body | None = None, content_type: str = "application/json"
    ) -> dict[str, Any]:
        """Count, and hand on."""
        self.methods.append(method)
        return await self.api.request(method, path, body, content_type)


@pytest.fixture
def counted(api: ResourceApi) -> Counted:
    """The API of this case, counted."""
    return Counted(api)


@pytest.fixture
def activities(counted: Counted) -> KubernetesActivities:
    """The activities over it."""
    return KubernetesActivities(counted, Queues())


def status(generation: int, message: str = "") -> dict[str, Any]:
    """A status as a workflow writes it."""
    condition = {
        "type": "MeshActive",
        "status": "False",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
        "reason": "NameConflict",
        "message": message,
        "observedGeneration": generation,
    }
    return {
        "meshArn": ARN,
        "conditions": [condition],
        "meshCondition": [condition],
        "observedGeneration": generation,
        "versions": {ARN: generation},
    }


async def status_in(api: ResourceApi, key: Any) -> Any:
    """The status that is stored."""
    return (await api.request("GET", path_of(key))).get("status")


async def edit(api: ResourceApi, key: Any) -> None:
    """Give the mesh another generation."""
    if isinstance(api, FakeCluster):
        api.objects[path_of(key)]["metadata"]["generation"] += 1
    else:
        await api.request("PATCH", path_of(key), {"spec": {"egressFilter": {"type": "ALLOW_ALL"}}}, MERGE_PATCH)


async def test_attempt_that_lands_after_a_newer_write_changes_nothing(
    api: ResourceApi, activities: KubernetesActivities
) -> None:
    """The request of an attempt that nobody waits for any more; within one generation too."""
    key, _ = await create_mesh(api)
    late = Status(key=key, status=status(1), before={})
    await run(activities.write_status, late)
    newest = status(1, "newer")
    await run(activities.write_status, Status(key=key, status=newest, before=status(1)))
    with pytest.raises(ApiException) as refused:
        await api.request("PATCH", f"{path_of(key)}/status", patch_of(late), JSON_PATCH)
    assert refused.value.status == 422
    assert await status_in(api, key) == newest


async def test_writer_that_is_cut_off_leaves_the_status_of_a_later_generation(
    api: ResourceApi, activities: KubernetesActivities
) -> None:
    """A whole attempt, with its second look, of a worker whose work another one has taken over."""
    key, _ = await create_mesh(api)
    await edit(api, key)
    await run(activities.write_status, Status(key=key, status=status(2), before={}))
    await run(activities.write_status, Status(key=key, status=status(1), before={}))
    assert await status_in(api, key) == status(2)


@pytest.mark.parametrize("message", ["", "plain", "at < 5 & 'ü' \u2028 \x08 \"\\u\" > 1"])
async def test_guard_costs_no_request(
    api: ResourceApi, counted: Counted, activities: KubernetesActivities, message: str
) -> None:
    """Neither at first nor later, whatever the status says."""
    key, _ = await create_mesh(api)
    first, second = status(1, message), status(1, f"{message} again")
    await run(activities.write_status, Status(key=key, status=first, before={}))
    await run(activities.write_status, Status(key=key, status=second, before=first))
    assert counted.methods == ["PATCH", "PATCH"]
    assert await status_in(api, key) == second


async def test_attempt_after_a_lost_answer_writes_nothing(
    api: ResourceApi, counted: Counted, activities: KubernetesActivities
) -> None:
    """The one before it was carried out."""
    key, _ = await create_mesh(api)
    wanted = Status(key=key, status=status(1), before={})
    await run(activities.write_status, wanted)
    before = await metadata_of(api, key)
    await run(activities.write_status, wanted)
    assert counted.methods == ["PATCH", "PATCH", "GET"]
    assert (await metadata_of(api, key))["resourceVersion"] == before["resourceVersion"]


@pytest.mark.parametrize("claimed", [0, 1, 99])
async def test_status_that_somebody_else_wrote_is_replaced(
    api: ResourceApi, activities: KubernetesActivities, claimed: int
) -> None:
    """Also one that claims a generation which never was."""
    key, _ = await create_mesh(api)
    await run(activities.write_status, Status(key=key, status=status(claimed, "by hand"), before={}))
    await run(activities.write_status, Status(key=key, status=status(1, "ours"), before=status(1)))
    assert await status_in(api, key) == status(1, "ours")
