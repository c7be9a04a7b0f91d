"""What resources' workflows are told: which message is whose, what two that wait come to, and who has to wait."""

import asyncio

from watcher.admission import PATIENCE_SECONDS, Admission
from watcher.index import Name
from watcher.outbox import Outbox
from watcher.poke import Absence, Workflows
from workflows.messages import Change

SENDERS = 32


class ResourceOutbox(Outbox[Name, Change | Absence]):
    """News by resource. A workflow only ever needs the newest sighting."""

    def __init__(self, workflows: Workflows, admission: Admission | None = None) -> None:
        super().__init__(self._tell_workflow, _joined, SENDERS, describe=_described)
        self._workflows = workflows
        self._admission = admission or Admission()
        self._held: dict[Name, Change | Absence] = {}
        self._holding = asyncio.Event()

    @property
    def waiting(self) -> int:
        """How many messages Temporal has not taken yet, those that are held back included."""
        return super().waiting + len(self._held)

    def tell(self, news: Change | Absence) -> None:
        """Queue news about a resource."""
        name = Name.of(news.snapshot) if isinstance(news, Change) else news.name
        held = self._held.pop(name, None)
        joined = news if held is None else _joined(held, news)
        if isinstance(joined, Change) and self._admission.needed_for(joined.snapshot):
            self._held[name] = joined
            self._admission.hold(joined.snapshot)
        else:
            if held is not None:
                self._admission.done(name)
            self.put(name, joined)
        self._admit()

    def answered(self, name: Name) -> None:
        """The resource's workflow has reported, or there is no resource any more."""
        self._admission.done(name)
        if (held := self._held.pop(name, None)) is not None:
            self.put(name, held)
        self._admit()

    async def run(self) -> None:
        """Send until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(super().run())
            tasks.create_task(self._admit_in_time())

    def _admit(self) -> None:
        for name in self._admission.admitted():
            self.put(name, self._held.pop(name))
        if self._held:
            self._holding.set()

    async def _admit_in_time(self) -> None:
        """Those who wait for somebody that does not answer."""
        while True:
            await self._holding.wait()
            self._holding.clear()
            while self._held:
                await asyncio.sleep(PATIENCE_SECONDS / 5)
                self._admit()

    async def _tell_workflow(self, _name: Name, news: Change | Absence) -> None:
        if isinstance(news, Change):
            await self._workflows.tell(news)
        else:
            await self._workflows.tell_gone(news)


def _described(name: Name, news: Change | Absence) -> dict[str, object]:
    """For the log; there is no generation of what is gone."""
    return {"resource": str(name)} | ({"generation": news.snapshot.generation} if isinstance(news, Change) else {})


def _joined(older: Change | Absence, newer: Change | Absence) -> Change | Absence:
    """One message for two: the last word; of two changes a poke if either was one, and the doubts of both."""
    if not (isinstance(older, Change) and isinstance(newer, Change)):
        return newer
    return newer.model_copy(
        update={
            "poke": older.poke or newer.poke,
            "data_plane": newer.data_plane or older.data_plane,
            "doubt": tuple(dict.fromkeys((*older.doubt, *newer.doubt))),
            "doubt_all": older.doubt_all or newer.doubt_all,
        }
    )
