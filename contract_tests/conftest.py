"""Loads the suite's plugin, so that `pytest contract_tests` works like `hailuo-mock check`."""

pytest_plugins = ["contract_tests.plugin"]
