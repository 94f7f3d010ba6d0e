"""Deliveries compared with a model: every attempt that is due is made, and no other."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mock_server.core.agenda import Occasion
from mock_server.core.clock import Clock
from mock_server.core.deliveries import Attempt, Delivery, DeliveryState, Event, PendingEvent
from mock_server.core.effects import DeliveryFault
from mock_server.core.refusals import Conflict
from mock_server.core.world import WorldRules
from tests.core.worlds import make_world

WAITS_MS = (100, 0, 300)
URLS = ("http://a.test/", "http://b.test/")
FAULTS = (
    DeliveryFault(),
    DeliveryFault(copies=2),
    DeliveryFault(late_s=0.2),
    DeliveryFault(after_next=True),
)


@dataclass
class Model:
    """The expected state of a delivery.

    asked, made: numbers of attempts. due_ms: when the next is due. is_queued: whether it was due
    and waits for a free sender. under_way: the one that has begun. has_ended: its final state.
    """

    delivery: Delivery
    created_ms: int
    asked: int = 0
    made: int = 0
    due_ms: int | None = None
    is_held_back: bool = False
    is_queued: bool = False
    under_way: Attempt | None = None
    has_ended: DeliveryState | None = None

    def ask(self, at_ms: int) -> None:
        """Expect one more attempt at this time."""
        self.asked += 1
        self.due_ms, self.has_ended = at_ms, None


class Deliveries(RuleBasedStateMachine):
    """Random events, answers, waits for a free sender, and redeliveries."""

    @initialize()
    def begin(self) -> None:
        clock = Clock(lambda: 0, start_ms=0, frozen=True)
        self.world = make_world(
            "w", seed=1, clock=clock, rules=WorldRules(), credits_of={}, keys=[]
        )
        self.known: dict[str, Model] = {}

    @property
    def now_ms(self) -> int:
        return self.world.clock.now_ms()

    def release_held_back(self, tried: Model) -> None:
        """Expect that deliveries held back until this attempt are due."""
        for other in self.known.values():
            is_behind = other.created_ms <= tried.created_ms
            if other.is_held_back and other.delivery.url == tried.delivery.url and is_behind:
                other.is_held_back = False
                other.due_ms = self.now_ms

    @rule(url=st.sampled_from(URLS), fault=st.sampled_from(FAULTS), waits=st.integers(0, 3))
    def schedule(self, url: str, fault: DeliveryFault, waits: int) -> None:
        event = Event(f"evt_{len(self.known)}", "callback", "acedata", "a", "t", self.now_ms, b"{}")
        is_first = not any(
            each.is_held_back and each.delivery.url == url for each in self.known.values()
        )
        for delivery in self.world.dispatch.schedule(
            PendingEvent(event, url, WAITS_MS[:waits]), fault
        ):
            model = self.known[delivery.id] = Model(delivery, self.now_ms)
            model.ask(self.now_ms + round(fault.late_s * 1000))
            if fault.after_next and is_first:
                model.is_held_back, model.due_ms = True, None

    @rule(by_ms=st.sampled_from([0, 1, 99, 100, 200, 1000]))
    def pass_time(self, by_ms: int) -> None:
        """Every due attempt is taken once, and no other."""
        self.world.clock.advance(by_ms)
        due = [each for each in self.world.catch_up() if each.occasion is Occasion.ATTEMPT_DUE]
        taken = [each.id for each in map(self.world.dispatch.take_due, due) if each is not None]
        wanted = {
            each.delivery.id
            for each in self.known.values()
            if each.due_ms is not None and each.due_ms <= self.now_ms
        }
        assert sorted(taken) == sorted(wanted)
        for delivery_id in taken:
            model = self.known[delivery_id]
            model.due_ms, model.is_queued = None, True

    @precondition(lambda self: any(each.is_queued for each in self.known.values()))
    @rule(data=st.data())
    def begin_attempt(self, data: st.DataObject) -> None:
        queued = [each for each in self.known.values() if each.is_queued]
        model = data.draw(st.sampled_from(queued))
        model.under_way = model.delivery.begin_attempt(self.now_ms)
        model.is_queued = False
        model.made += 1

    @precondition(lambda self: any(each.is_queued for each in self.known.values()))
    @rule(data=st.data())
    def give_up(self, data: st.DataObject) -> None:
        """Give up a delivery that waits for a free sender."""
        queued = [each for each in self.known.values() if each.is_queued]
        model = data.draw(st.sampled_from(queued))
        self.world.dispatch.give_up(model.delivery, "the endpoint is disabled")
        model.is_queued = False
        model.asked -= 1
        model.has_ended = DeliveryState.FAILED
        self.release_held_back(model)

    @precondition(lambda self: any(each.under_way for each in self.known.values()))
    @rule(data=st.data(), status=st.sampled_from([200, 204, 410, 500]))
    def answer(self, data: st.DataObject, status: int) -> None:
        model = data.draw(st.sampled_from([each for each in self.known.values() if each.under_way]))
        attempt, model.under_way = model.under_way, None
        assert attempt is not None
        attempt.status = status
        self.world.dispatch.end_attempt(model.delivery, attempt)
        waits_ms = model.delivery.waits_ms
        if status < 300:
            model.has_ended = DeliveryState.SUCCEEDED
        elif model.made > len(waits_ms):
            model.has_ended = DeliveryState.FAILED
        else:
            model.ask(max(self.now_ms, attempt.started_ms + waits_ms[model.made - 1]))
        self.release_held_back(model)

    @precondition(lambda self: self.known)
    @rule(data=st.data())
    def redeliver(self, data: st.DataObject) -> None:
        """Expect one more attempt if it is over; else the pending one is due now."""
        model = data.draw(st.sampled_from(list(self.known.values())))
        is_refused = False
        try:
            self.world.dispatch.redeliver(model.delivery)
        except Conflict:
            is_refused = True
        assert is_refused is (model.is_queued or model.under_way is not None)
        if model.has_ended is not None:
            model.ask(self.now_ms)
        elif not is_refused:
            model.is_held_back, model.due_ms = False, self.now_ms

    @invariant()
    def every_attempt_was_asked_for(self) -> None:
        for model in self.known.values():
            delivery = model.delivery
            assert len(delivery.attempts) == model.made
            is_open = model.is_held_back or model.is_queued or model.due_ms is not None
            assert model.made == model.asked - is_open
            assert delivery.state is (model.has_ended or DeliveryState.PENDING)
            assert delivery.next_attempt_ms == model.due_ms


Deliveries.TestCase.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
TestDeliveries = Deliveries.TestCase
