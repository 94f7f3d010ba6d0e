"""Only an API's own folder says its name, its title and its paths."""

from __future__ import annotations

import re
from pathlib import Path

import mock_server
from mock_server.apis import ALL

PACKAGE = Path(mock_server.__file__).parent
PEOPLE_USE = {
    "control/__init__.py": "an example with names that people use",
    "judge/options.py": "an example of the command",
    "control/world.py": "rivya_url, rivya_key, acedata_url, acedata_token",
}
"""Files outside of the folders of the APIs that may name one, and why."""


def sources() -> dict[str, str]:
    """The text of each file of the package, by its path, but for the folders of the APIs."""
    paths = [path for ending in ("py", "js", "html") for path in PACKAGE.rglob(f"*.{ending}")]
    texts = {path.relative_to(PACKAGE).as_posix(): path.read_text("utf-8") for path in paths}
    own = tuple(f"apis/{api.name}/" for api in ALL)
    return {name: text for name, text in texts.items() if not name.startswith(own)}


def test_only_its_own_folder_names_an_api() -> None:
    words = [word for api in ALL for word in (api.name, api.title, api.short_title)]
    words += [f"{api.prefix}/" for api in ALL]
    named = re.compile("|".join(map(re.escape, words)), re.IGNORECASE)
    found = {name for name, text in sources().items() if named.search(text)}
    assert found == {"apis/__init__.py", *PEOPLE_USE}
