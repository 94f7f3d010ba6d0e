"""Holds any server that claims to be one of the two APIs against the contract, over HTTP.

`hailuo-mock check` and `pytest contract_tests` are the same suite. Nothing here imports the server
(the room `broken` excepted): what is expected comes from `schemas/` and `promises/` alone.
"""
