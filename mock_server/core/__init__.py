"""The rules. No HTTP, no wall clock, no chance of its own, no asyncio.

Whatever varies is handed in: the time by a clock, ids and chance by a seed, prices and limits by
the catalogue. Tests of these rules start no server.
"""
