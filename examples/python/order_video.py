"""Orders one video at Rivya and saves it: a program to try `hailuo-mock judge` with.

It can be killed at any time and started again: the name of the order is kept before it is sent.
"""

from __future__ import annotations

import os
import sys
import uuid
from pathlib import Path

from client_common import VideoError
from rivya_client import Rivya

PROMPT = "Slow dolly towards a lighthouse at dusk"


def order_name(file: Path) -> str:
    """The name of the order: that of the first start."""
    if not file.exists():
        part = file.with_suffix(".part")
        part.write_text(str(uuid.uuid4()), "utf-8")
        part.replace(file)
    return file.read_text("utf-8")


def main() -> None:
    """Order, wait and download. Exit code 1 with the reason if there is no video."""
    folder = Path(os.environ["STATE_DIR"])
    with Rivya(os.environ["RIVYA_API_KEY"], os.environ["RIVYA_BASE_URL"]) as rivya:
        generation = rivya.create(PROMPT, order=order_name(folder / "order"))
        rivya.download(rivya.wait(generation.id, max_wait_s=15), folder / "video.mp4")


if __name__ == "__main__":
    try:
        main()
    except VideoError as error:
        sys.exit(f"{type(error).__name__}: {error}")
