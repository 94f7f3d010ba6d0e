"""How fast and how large the server is, held against its budgets: `python -m benchmarks`.

`budgets.py` is what is promised, `extent.py` how much is measured, and each of startup, throughput,
latency, memory, growth, held_open, callbacks, deliveries, worlds, fixtures and shutdown one way of
measuring.
Speed is measured against a bare Starlette app (`bare_app.py`) in the same run, by turns, so that
the machine does not matter much; what other programs took of it is told at the end.
"""
