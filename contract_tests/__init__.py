"""Checks over HTTP whether a server that implements one of the two APIs keeps the contract.

`hailuo-mock check` and `pytest contract_tests` run the same suite. Only the folder `broken` imports
the server. Every expectation comes from `schemas/` and `promises/`.
"""
