"""`make docs`: builds the manual into build/manual/site, and checks every link of it.

    python -m tools.manual

Exit code 0: built; 1: a warning of Sphinx, or a broken link.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tools.manual import site
from tools.manual.links import broken_links

BUILD = site.ROOT / "build" / "manual"
SITE = BUILD / "site"


def main() -> int:
    """Build and check. Returns the exit code."""
    written = site.write(BUILD / "source")
    sphinx = [sys.executable, "-m", "sphinx", "-b", "html", "-E", "-W", "--keep-going", "-q",
              "-j", "auto", "-c", str(Path(__file__).parent), "-d", str(BUILD / "doctrees"),
              str(BUILD / "source"), str(SITE)]  # fmt: skip
    if subprocess.run(sphinx, check=False).returncode:  # noqa: S603 (its own interpreter)
        return 1
    number, broken = broken_links(SITE)
    if broken:
        print("\n".join(broken), file=sys.stderr)
        return 1
    print(f"{SITE / 'index.html'}: {written} files, {number} links, none broken")
    return 0


if __name__ == "__main__":
    sys.exit(main())
