"""The rules of the simulation: pure Python without HTTP, asyncio, real time or real randomness.

Everything variable is a parameter: the time, the seed of ids and random values, the catalogue.
Tests of these rules need no server.
"""
