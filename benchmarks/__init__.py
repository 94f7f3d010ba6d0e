"""Measures the speed and the memory of the server against its budgets: `python -m benchmarks`.

`budgets.py` has the limits, `extent.py` the number of repetitions. Each of startup, throughput,
latency, memory, growth, held_open, worst_wait, callbacks, deliveries, worlds, fixtures and shutdown
is one measurement. Speed is measured against a bare Starlette app (`bare_app.py`) in the same run,
so that it depends little on the machine. The report shows how much CPU time other programs used.
"""
