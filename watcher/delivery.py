"""What resources' workflows are told: which message is whose, and what two that wait come to."""

from watcher.index import Name
from watcher.outbox import Outbox
from watcher.poke import Absence, Workflows
from workflows.messages import Change

SENDERS = 32


class ResourceOutbox(Outbox[Name, Change | Absence]):
    """News by resource. A workflow only ever needs the newest sighting."""

    def __init__(self, workflows: Workflows) -> None:
        super().__init__(self._tell_workflow, _joined, SENDERS)
        self._workflows = workflows

    def tell(self, news: Change | Absence) -> None:
        """Queue news about a resource."""
        self.put(Name.of(news.snapshot) if isinstance(news, Change) else news.name, news)

    async def _tell_workflow(self, _name: Name, news: Change | Absence) -> None:
        if isinstance(news, Change):
            await self._workflows.tell(news)
        else:
            await self._workflows.tell_gone(news)


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
