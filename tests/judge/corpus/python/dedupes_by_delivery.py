"""Tells copies by the id of the delivery, which each attempt has anew."""

from base import rivya_receiver as receiver

receiver.mark_of_event = lambda event, headers: headers["Rivya-Delivery-Id"]
receiver.mark_of_look = lambda task_id: "no delivery"
receiver.serve()
