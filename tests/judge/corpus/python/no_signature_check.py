"""Believes every event that comes."""

from base import rivya_receiver as receiver

receiver.is_signed = lambda header, body: True
receiver.serve()
