"""Makes `pytest contract_tests` the same suite as `hailuo-mock check`."""

pytest_plugins = ["contract_tests.plugin"]
