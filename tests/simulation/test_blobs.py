"""The store of uploads: how much it keeps, what it deletes, and what it leaves behind."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest

from mock_server.core.refusals import CannotStore, Conflict, Invalid
from mock_server.simulation.blobs import Blobs
from mock_server.simulation.upload_folder import UploadFolder, remove_abandoned


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary folder of this test."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def blobs() -> Iterator[Blobs]:
    made = Blobs(max_bytes=100)
    yield made
    made.close()


def digest(content: bytes) -> str:
    return sha256(content).hexdigest()


async def add(blobs: Blobs, *contents: bytes) -> list[str]:
    async with blobs.added([BytesIO(each) for each in contents], "/file") as digests:
        return digests


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_an_added_blob_can_be_read_by_its_digest(blobs: Blobs) -> None:
    async def story() -> None:
        assert await add(blobs, b"one", b"two") == [digest(b"one"), digest(b"two")]
        assert await blobs.read(digest(b"two")) == b"two"

    asyncio.run(story())


def test_a_blob_that_no_world_has_is_deleted(blobs: Blobs, temporary: Path) -> None:
    async def story() -> None:
        await add(blobs, b"one", b"two", b"three")
        await blobs.keep_only({digest(b"two")})
        assert files_in(temporary) == [digest(b"two")]

    asyncio.run(story())


def test_a_blob_that_is_being_added_is_not_deleted(blobs: Blobs, temporary: Path) -> None:
    async def story() -> None:
        async with blobs.added([BytesIO(b"one")], "/file"):
            async with blobs.added([BytesIO(b"one")], "/file"):
                await blobs.keep_only(set())
            await blobs.keep_only(set())
            assert files_in(temporary) == [digest(b"one")]
        await blobs.keep_only(set())
        assert files_in(temporary) == []

    asyncio.run(story())


def test_storage_is_full_at_its_last_byte_and_free_after_a_delete(
    blobs: Blobs,
) -> None:
    async def story() -> None:
        await add(blobs, b"x" * 60, b"y" * 40)
        with pytest.raises(Invalid, match=r"limits\.stored_upload_bytes") as refused:
            await add(blobs, b"z")
        assert refused.value.violations[0].place == "/file"
        await blobs.keep_only({digest(b"x" * 60)})
        await add(blobs, b"z" * 40)

    asyncio.run(story())


def test_files_added_at_once_share_the_storage(blobs: Blobs) -> None:
    async def story() -> None:
        results = await asyncio.gather(
            *(add(blobs, bytes([number]) * 40) for number in range(5)), return_exceptions=True
        )
        assert [isinstance(each, Invalid) for each in results].count(False) == 2

    asyncio.run(story())


@pytest.mark.parametrize("how_much", ["the folder", "all temporary folders"])
def test_a_deleted_folder_is_made_again(blobs: Blobs, temporary: Path, how_much: str) -> None:
    async def story() -> None:
        await add(blobs, b"one")
        gone = temporary if how_much == "all temporary folders" else blobs.path("x").parent
        shutil.rmtree(gone)
        with pytest.raises(Conflict, match="emptied"):
            await blobs.read(digest(b"one"))
        await add(blobs, b"two")
        assert await blobs.read(digest(b"two")) == b"two"
        await add(blobs, b"one", b"x" * 94)  # what is gone takes no room
        assert await blobs.read(digest(b"one")) == b"one"

    asyncio.run(story())


def test_nothing_is_kept_after_the_end(blobs: Blobs, temporary: Path) -> None:
    async def story() -> None:
        await add(blobs, b"one")
        blobs.close()
        blobs.close()
        with pytest.raises(CannotStore):
            await add(blobs, b"two")

    asyncio.run(story())
    assert list(temporary.iterdir()) == []


class SlowFile(BytesIO):
    """A file whose reader closes the store in the middle."""

    def __init__(self, blobs: Blobs) -> None:
        super().__init__(b"content")
        self._blobs = blobs

    def read(self, size: int | None = -1) -> bytes:
        self._blobs.close()
        return super().read(size)


def test_an_upload_during_the_end_leaves_nothing(blobs: Blobs, temporary: Path) -> None:
    async def story() -> None:
        with pytest.raises(CannotStore):
            async with blobs.added([SlowFile(blobs)], "/file"):
                pass

    asyncio.run(story())
    assert list(temporary.iterdir()) == []


# --- folders of other servers ------------------------------------------------------------------

KILLED = """
import os, tempfile
from mock_server.simulation.upload_folder import UploadFolder
folder = UploadFolder()
(folder.path / ("0" * 64)).touch()
(folder.path / "partial-abc").touch()
os.kill(os.getpid(), 9)
"""


def test_the_folder_of_a_killed_server_is_removed(temporary: Path) -> None:
    subprocess.run(
        [sys.executable, "-c", KILLED], env={"TMPDIR": str(temporary)}, check=False, timeout=20
    )
    assert len(files_in(temporary)) == 2
    remove_abandoned()
    assert list(temporary.iterdir()) == []


def test_the_folder_of_a_running_server_is_left_alone(temporary: Path) -> None:
    folder = UploadFolder()
    remove_abandoned()
    assert list(temporary.iterdir()) == [folder.path]
    folder.remove()
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("folder", "file"),
    [
        ("hailuo-mock-uploads-mine", "letter.txt"),  # a folder of another program
        ("hailuo-mock-uploads-mine", "0" * 64 + ".bak"),
        ("hailuo-mock-demo", "0" * 64),
        ("something-else", "0" * 64),
    ],
)
def test_nothing_else_is_ever_removed(temporary: Path, folder: str, file: str) -> None:
    (temporary / folder).mkdir()
    (temporary / folder / file).touch()
    remove_abandoned()
    assert files_in(temporary) == [file]


def test_a_link_is_not_followed(temporary: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / ("0" * 64)).touch()
    (temporary / "hailuo-mock-uploads-link").symlink_to(elsewhere)
    remove_abandoned()
    assert files_in(elsewhere) == ["0" * 64]


def test_the_folder_of_another_user_is_left_alone(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (temporary / "hailuo-mock-uploads-other").mkdir()
    monkeypatch.setattr(os, "getuid", lambda: 4711)
    remove_abandoned()
    assert (temporary / "hailuo-mock-uploads-other").exists()
