"""The list of the stack's parts, and which of them an `up` starts.

A part that is external is not started, and nobody waits for it: it was checked before.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from deploy.local import cloudmap, control_plane, etcd, injector, kube_apiserver, temporal, watcher, worker
from deploy.local.errors import SettingMissing
from deploy.local.part import Part
from deploy.local.site import Site

DESCRIPTIONS: Mapping[str, Callable[[Site], Part]] = {
    etcd.NAME: etcd.part,
    kube_apiserver.NAME: kube_apiserver.part,
    temporal.NAME: temporal.part,
    control_plane.NAME: control_plane.part,
    cloudmap.NAME: cloudmap.part,
    watcher.NAME: watcher.part,
    worker.NAME: worker.part,
    injector.NAME: injector.part,
}
"""Every part by its name, in the order in which people think of them."""

ALL = tuple(DESCRIPTIONS)

BINARIES = {etcd.NAME: "etcd", kube_apiserver.NAME: "kube-apiserver", temporal.NAME: "temporal"}
"""Parts that need a program which Python does not bring."""

_REPLACED = {
    # An API server elsewhere could not call a webhook on this machine's loopback address.
    "kubernetes": (etcd.NAME, kube_apiserver.NAME, injector.NAME),
    "temporal": (temporal.NAME,),
    # Whether another App Mesh serves proxies, and where, is not known here.
    "app-mesh": (control_plane.NAME, injector.NAME),
}


def chosen(wanted: Collection[str], external: Collection[str]) -> tuple[str, ...]:
    """Names of the parts to start: those wanted, without those that somebody else provides.

    Raises:
        SettingMissing: there is no part of that name.
    """
    if unknown := sorted(set(wanted) - set(ALL)):
        raise SettingMissing(f"there is no part {unknown[0]!r}; the parts are {', '.join(ALL)}")
    replaced = {part for name in external for part in _REPLACED.get(name, ())}
    return tuple(name for name in ALL if name in wanted and name not in replaced)


def describe(site: Site, names: Collection[str]) -> list[Part]:
    """The parts of these names; what is not started is not waited for either."""
    described = (DESCRIPTIONS[name](site) for name in ALL if name in names)
    return [replace(part, needs=tuple(need for need in part.needs if need in names)) for part in described]


def stop_order(parts: Sequence[Part]) -> list[list[Part]]:
    """Groups to stop one after the other, users before what they use; within a group all at once."""
    groups: list[list[Part]] = []
    left = list(parts)
    while left:
        needed = {need for part in left for need in part.needs}
        group = [part for part in left if part.name not in needed]
        groups.append(group)
        left = [part for part in left if part not in group]
    return groups
