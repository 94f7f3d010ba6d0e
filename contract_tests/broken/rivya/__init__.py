"""The broken servers of Rivya. Each module adds its own when it is imported."""

from contract_tests.broken.rivya import creates, errors, files_and_webhooks, generations

__all__ = ["creates", "errors", "files_and_webhooks", "generations"]
