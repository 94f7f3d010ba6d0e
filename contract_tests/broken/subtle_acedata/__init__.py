"""Broken servers of Ace Data Cloud that are right at the examples of the documents."""

from contract_tests.broken.subtle_acedata import authority, callbacks, echoes, failures, requests

__all__ = ["authority", "callbacks", "echoes", "failures", "requests"]
