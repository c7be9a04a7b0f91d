"""Everything that can happen in a walk, one small step at a time, in an order that chance decides.

A step is: the watcher sees something, a letter reaches a workflow, a call takes effect, its answer arrives, a timer
ends. Calls are lost before or after they took effect, histories grow long or are lost, and the watcher starts anew.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.bridge.proto.workflow_commands import WorkflowCommand

from activities.errors import failed
from activities.failures import Failure
from resources.kinds import Kind
from tests.workflows.app_mesh_activities import AppMeshActivities
from tests.workflows.walks.cluster import Cluster
from tests.workflows.walks.driving import Activities
from tests.workflows.walks.execution import CONVERTER, Execution, TaskFailed
from tests.workflows.walks.watching import HandedWatcher
from watcher.index import Name
from workflows import names
from workflows.entity import MeshWorkflow, VirtualNodeWorkflow, VirtualServiceWorkflow
from workflows.messages import Change

WORKFLOWS = {
    Kind.MESH: MeshWorkflow,
    Kind.VIRTUAL_NODE: VirtualNodeWorkflow,
    Kind.VIRTUAL_SERVICE: VirtualServiceWorkflow,
}
CLUSTER = "walk"


@dataclass
class Weather:
    """How often what goes wrong, of a hundred."""

    unreachable: int = 0
    """Calls that fail before they take effect."""
    lost: int = 0
    """Calls that take effect, and whose answer is lost."""
    forbidden: int = 0
    """Calls that are refused, this once."""
    repeated: int = 0
    """Local activities that are run twice, as the worker died between."""
    long: int = 0
    """Tasks that find their history long."""


CALM = Weather()


@dataclass
class PendingCall:
    """An activity that was asked for."""

    seq: int
    name: str
    payload: Payload
    local: bool
    done: bool = False
    result: Any = None


@dataclass
class Running:
    """A workflow that runs, with what it waits for."""

    execution: Execution
    calls: dict[int, PendingCall] = field(default_factory=dict)
    timers: dict[int, float] = field(default_factory=dict)


class World:
    """A cluster, an App Mesh, a watcher and the workflows."""

    def __init__(self, chance: random.Random, weather: Weather = CALM) -> None:
        self.chance, self.weather = chance, weather
        self.app_mesh = AppMeshActivities()
        self.cluster = Cluster()
        self.workflows: dict[Name, Running] = {}
        self.now = 0.0
        self.log: list[str] = []
        """What happened, for people."""
        self.after_write: Callable[[], None] = lambda: None
        """Called when App Mesh may have changed."""
        self.next_lost: list[str] = []
        """Operations whose next answer is lost, apart from what the weather does."""
        self._calls = Activities(self.app_mesh.definitions())
        self._runs = 0
        self.watcher = HandedWatcher(self.cluster.listings(), frozenset())

    def step(self) -> bool:
        """Something happens that needs no time to pass; False when there is nothing."""
        steps: list[Callable[[], None]] = []
        steps += [partial(self._see, kind) for kind, unseen in self.cluster.unseen.items() if unseen]
        if self.watcher.letters.any:
            steps += [self._deliver] * 2
        for name, running in self.workflows.items():
            steps += [partial(self._advance, name, call) for call in running.calls.values()]
        if not steps:
            return False
        self.now += 0.01
        self.chance.choice(steps)()
        return True

    def timers(self) -> list[tuple[float, Name, int]]:
        """When which timer of whom ends, soonest first."""
        found = [(due, name, seq) for name, each in self.workflows.items() for seq, due in each.timers.items()]
        return sorted(found, key=lambda timer: timer[0])

    def fire(self, name: Name, seq: int) -> None:
        """Let a timer end."""
        running = self.workflows[name]
        self.now = max(self.now, running.timers.pop(seq))
        self.log.append(f"{name}: a delay has passed")
        running.execution.fire(seq)
        self._go_on(name)

    def restart_watcher(self) -> None:
        """It forgets all, letters too, and begins with lists."""
        self.log.append("the watcher starts anew")
        self.watcher = HandedWatcher(self.cluster.listings(), frozenset(self.workflows))

    def lose_history(self, name: Name) -> None:
        """Temporal knows nothing of a workflow any more."""
        if (running := self.workflows.pop(name, None)) is not None:
            self.log.append(f"{name}: its history is lost")
            running.execution.evict()

    def close(self) -> None:
        """End what runs."""
        for name in list(self.workflows):
            self.workflows.pop(name).execution.evict()

    def _see(self, kind: Kind) -> None:
        sighting = self.cluster.unseen[kind].popleft()
        metadata, status = sighting.item["metadata"], sighting.item.get("status", {})
        self.log.append(f"watcher: {sighting.type} {metadata['name']} {metadata['generation']} {_said(status)}")
        self.watcher.see(sighting)

    def _deliver(self) -> None:
        news = self.watcher.letters.take(self.chance)
        if isinstance(news, Change):
            name = Name.of(news.snapshot)
            self.log.append(f"{name}: told {news.snapshot.generation}{' poke' if news.poke else ''}: {news.because}")
            if name not in self.workflows:
                self._start(name, [CONVERTER.to_payload(names.NO_STATE)])
            self.workflows[name].execution.signal(names.CHANGED, news)
        else:
            name = news.name
            self.log.append(f"{name}: told that it is gone{'' if name in self.workflows else ', in vain'}")
            if name not in self.workflows:
                return
            self.workflows[name].execution.signal(names.GONE, news.gone)
        self._go_on(name)

    def _start(self, name: Name, state: list[Payload]) -> None:
        self._runs += 1
        id = names.workflow_id(CLUSTER, name.kind, name.namespace, name.name)
        self.workflows[name] = Running(Execution(WORKFLOWS[name.kind], id, self._runs, state, self.now))

    def _advance(self, name: Name, call: PendingCall) -> None:
        if call.done:
            running = self.workflows[name]
            del running.calls[call.seq]
            running.execution.answer(call.seq, call.result, call.local)
            self._go_on(name)
        else:
            call.result, call.done = self._carry_out(name, call), True

    def _carry_out(self, name: Name, call: PendingCall) -> Any:
        if call.local:
            argument = self.cluster.activities.argument(call.name, call.payload)
            result = self.cluster.run(call.name, argument)
            if self._happens(self.weather.repeated):
                result = self.cluster.run(call.name, argument)
            self.log.append(f"{name}: {call.name} {_of(argument)}{_answer(result)}")
            return result
        argument = self._calls.argument(call.name, call.payload)
        said = f"{name}: {call.name} {_of(argument)}"
        if self._happens(self.weather.unreachable):
            self.log.append(f"{said}: unreachable")
            return failed(Failure.UNAVAILABLE, "unreachable")
        if self._happens(self.weather.forbidden):
            self.log.append(f"{said}: forbidden")
            return failed(Failure.FORBIDDEN, "not now")
        result = self._calls.run(call.name, argument)
        lost = self._is_lost(call.name)
        self.log.append(f"{said}{_answer(result)}{' (lost)' if lost else ''}")
        self.after_write()
        return failed(Failure.UNAVAILABLE, "the answer was lost") if lost else result

    def _go_on(self, name: Name) -> None:
        running = self.workflows[name]
        for command in running.execution.go_on(self.now, long=self._happens(self.weather.long)):
            self._obey(name, running, command)

    def _obey(self, name: Name, running: Running, command: WorkflowCommand) -> None:
        which = command.WhichOneof("variant")
        match which:
            case "schedule_activity" | "schedule_local_activity":
                wanted = getattr(command, which)
                local = which == "schedule_local_activity"
                call = PendingCall(wanted.seq, wanted.activity_type, wanted.arguments[0], local)
                running.calls[call.seq] = call
            case "start_timer":
                timer = command.start_timer
                running.timers[timer.seq] = self.now + timer.start_to_fire_timeout.ToNanoseconds() / 1e9
            case "cancel_timer":
                running.timers.pop(command.cancel_timer.seq, None)
            case "continue_as_new_workflow_execution":
                running.execution.evict()
                self.log.append(f"{name}: continues as new")
                self._start(name, list(command.continue_as_new_workflow_execution.arguments))
                self._go_on(name)
            case "complete_workflow_execution":
                running.execution.evict()
                self.log.append(f"{name}: over")
                del self.workflows[name]
            case "modify_workflow_properties" | "upsert_workflow_search_attributes" | "set_patch_marker":
                pass
            case _:
                raise TaskFailed(f"{name}: {command}")

    def _is_lost(self, operation: str) -> bool:
        if operation in self.next_lost:
            self.next_lost.remove(operation)
            return True
        return self._happens(self.weather.lost)

    def _happens(self, of_a_hundred: int) -> bool:
        return of_a_hundred > 0 and self.chance.randrange(100) < of_a_hundred


def _of(argument: Any) -> str:
    key = getattr(argument, "key", None)
    what = getattr(argument, "object", None) or getattr(argument, "router", None)
    if what is not None:
        return f"{what}"
    status = getattr(argument, "status", None)
    if status is not None:
        return f"{status.get('observedGeneration')} {_said(status)}"
    return f"{getattr(argument, 'reason', '')} {getattr(argument, 'message', '')}" if key is not None else str(argument)


def _said(status: dict[str, Any]) -> str:
    reasons = [
        f"{each['type']}={each.get('reason')}" for each in status.get("conditions", ()) if "Active" in each["type"]
    ]
    return ", ".join(reasons)


def _answer(result: Any) -> str:
    return f" -> {result}" if isinstance(result, Exception) else ""
