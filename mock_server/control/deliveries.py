"""Calls about the callbacks and webhooks of a world."""

from typing import Literal

from mock_server.control.answers import Delivery, DeliveryList, SentRequest, Task, id_of
from mock_server.control.transport import Caller, ClientMethod, Request, RequestFlow, step


class DeliveryCalls(Caller):
    """The calls about deliveries."""

    @ClientMethod
    def deliveries(self) -> RequestFlow[list[Delivery]]:
        """Every callback and webhook, sent or still to be sent, the oldest first."""
        return (yield Request("GET", f"{self._path}/deliveries")).read(DeliveryList).deliveries

    @ClientMethod
    def delivery(self, delivery_id: str) -> RequestFlow[Delivery]:
        """One delivery, as it is now."""
        return (yield Request("GET", f"{self._path}/deliveries/{step(delivery_id)}")).read(Delivery)

    @ClientMethod
    def redeliver(self, delivery: str | Delivery) -> RequestFlow[Delivery]:
        """Make one more attempt at a delivery, due now."""
        path = f"{self._path}/deliveries/{step(id_of(delivery))}/redeliver"
        return (yield Request("POST", path)).read(Delivery)

    @ClientMethod
    def signed_request(
        self,
        event: str | Task | Delivery,
        state: Literal["succeeded", "failed"] | None = None,
        *,
        endpoint: str | None = None,
    ) -> RequestFlow[SentRequest]:
        """The request that would be sent now, byte for byte, signed; nothing is sent.
        event: a delivery; or a task, for its end without a fault. A task that has not ended is
        shown as if it ended now. state: the end of the task; None: as planned. endpoint: the id of
        the webhook endpoint, if several receive the event."""
        name = id_of(event)
        kind = "deliveries" if name.startswith("delivery_") else "tasks"
        query = {"state": state, "endpoint": endpoint}
        path = f"{self._path}/{kind}/{step(name)}/signed_request"
        return (yield Request("GET", path, query=query)).read(SentRequest)
