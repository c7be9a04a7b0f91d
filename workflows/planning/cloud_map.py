"""From the pods that should be instances of a Cloud Map service to the calls that make them so. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from activities.cloud_map_messages import InstanceChange
from activities.messages import Message
from resources.cloud_map import Instance, node_of_instance
from resources.pods import NodeIdentity
from workflows.cloud_map_messages import NodeInService, PodNews


class InstancePlan(Message):
    """What to deregister and what to register, in this order: traffic to a pod that is gone fails, so it ends first."""

    to_deregister: tuple[str, ...] = ()
    to_register: tuple[Instance, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether Cloud Map holds what it should."""
        return not self.to_deregister and not self.to_register


def wanted_instances(pods: Iterable[PodNews], nodes: Collection[NodeInService]) -> dict[str, Instance]:
    """The instances by id, which is the pod's IP. Of two pods with one IP the younger has it.

    Args:
        pods: news of pods, in any order.
        nodes: the nodes that use the service; pods of others are left out.
    """
    uids = {node.key.uid for node in nodes}
    wanted: dict[str, tuple[str, str, Instance]] = {}
    for pod in pods:
        if pod.instance is None or pod.node not in uids:
            continue
        claim = (pod.since, pod.uid, pod.instance)
        holder = wanted.get(pod.instance.id)
        if holder is None or claim[:2] > holder[:2]:
            wanted[pod.instance.id] = claim
    return {id: instance for id, (_, _, instance) in sorted(wanted.items())}


def plan_instances(
    wanted: Mapping[str, Instance],
    held: Mapping[str, str],
    refused: Mapping[str, tuple[str, str]],
    everybody_told: bool = True,
) -> InstancePlan:
    """The changes that are left to make.

    Args:
        wanted: the instances that should be there, by id.
        held: id → digest of the attributes of those of ours that are there.
        refused: id → digest and reason of those that Cloud Map would not take; not tried again as they are.
        everybody_told: whether what is not wanted is known to be nobody's; otherwise nothing is deregistered.
    """
    return InstancePlan(
        to_deregister=tuple(sorted(id for id in held if everybody_told and id not in wanted)),
        to_register=tuple(
            instance
            for id, instance in sorted(wanted.items())
            if held.get(id) != instance.digest and refused.get(id, ("", ""))[0] != instance.digest
        ),
    )


def batches(changes: Sequence[InstanceChange], size: int) -> list[tuple[InstanceChange, ...]]:
    """The changes in their order, in batches of at most `size`."""
    return [tuple(changes[start : start + size]) for start in range(0, len(changes), size)]


def held_by_us(instances: Iterable[Instance], served: Collection[NodeIdentity], cluster: str) -> dict[str, str]:
    """Id → digest of the instances that are ours to change, judged by their attributes alone.

    Ours are pods of nodes that use, or once used, the service. Should one id be listed twice, the last counts.
    """
    nodes = frozenset(served)
    return {instance.id: instance.digest for instance in instances if node_of_instance(instance, cluster) in nodes}
