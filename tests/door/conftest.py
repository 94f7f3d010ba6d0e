from __future__ import annotations

from tests.door.browser import browser, visit

__all__ = ["browser", "visit"]
