"""Where the data folders are."""

from __future__ import annotations

from pathlib import Path

SCHEMAS = Path(__file__).parent.parent / "schemas"
FIXTURES = Path(__file__).parent.parent / "fixtures"
