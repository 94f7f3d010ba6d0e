"""The result videos in `fixtures/media`, as a reader that is not ours sees them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import pytest

from mock_server.contract.data_paths import FIXTURES, SCHEMAS
from mock_server.core.catalog import Clip

MEDIA = FIXTURES / "media"
MAX_BYTES = 60_000


def clips_by_file() -> dict[str, Clip]:
    """Every clip that a model names, by the file the server looks for."""
    models = [json.loads(path.read_text("utf-8")) for path in (SCHEMAS / "models").glob("*.json")]
    clips = [Clip(**clip) for model in models for clip in model["clips"]]
    return {clip.file_name: clip for clip in clips}


CLIPS = clips_by_file()
each_clip = pytest.mark.parametrize("name", sorted(CLIPS))


def top_level_boxes(data: bytes) -> Iterator[str]:
    """The types of an MP4's outermost boxes, in order."""
    at = 0
    while at < len(data):
        yield data[at + 4 : at + 8].decode("ascii")
        size = int.from_bytes(data[at : at + 4], "big")
        assert size >= 8, "a box too small for its own header"
        at += size


def luma_at(path: Path, *shares: Fraction) -> list[list[bytes]]:
    """The brightness of each pixel, row by row, in the frames at this time (0 to 1)."""
    with av.open(str(path)) as container:
        last = container.streams.video[0].frames - 1
        wanted = {round(share * last): share for share in shares}
        rows = {
            number: luma_rows(frame)
            for number, frame in enumerate(container.decode(video=0))
            if number in wanted
        }
    return [rows[round(share * last)] for share in shares]


def luma_rows(frame: av.VideoFrame) -> list[bytes]:
    plane = frame.planes[0]
    pixels = bytes(plane)
    starts = range(0, plane.height * plane.line_size, plane.line_size)
    return [pixels[start : start + plane.width] for start in starts]


def filled_share(rows: list[bytes]) -> float:
    """How much of the progress bar is white, from 0 to 1."""
    across_the_bar = rows[round(len(rows) * 0.93)]
    return sum(value > 200 for value in across_the_bar) / (len(across_the_bar) * 0.95)


def test_each_clip_a_model_names_has_its_file_and_no_file_is_left_over() -> None:
    assert CLIPS
    assert {path.name for path in MEDIA.glob("*.mp4")} == set(CLIPS)


@each_clip
def test_the_frame_size_is_the_clips(name: str) -> None:
    with av.open(str(MEDIA / name)) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (CLIPS[name].width, CLIPS[name].height)
        frame = next(container.decode(stream))
        assert (frame.width, frame.height) == (CLIPS[name].width, CLIPS[name].height)


@each_clip
def test_the_duration_is_the_clips_within_one_frame(name: str) -> None:
    with av.open(str(MEDIA / name)) as container:
        stream = container.streams.video[0]
        assert stream.duration is not None
        assert stream.time_base is not None
        assert stream.average_rate is not None
        off_s = abs(stream.duration * stream.time_base - CLIPS[name].duration_s)
        assert off_s <= 1 / stream.average_rate


@each_clip
def test_frames_come_evenly_24_or_25_a_second_from_zero_to_the_end(name: str) -> None:
    with av.open(str(MEDIA / name)) as container:
        stream = container.streams.video[0]
        shown_s = [frame.time for frame in container.decode(stream)]
        assert stream.average_rate in (24, 25)
        frame_s = float(1 / stream.average_rate)
    assert shown_s == pytest.approx([number * frame_s for number in range(len(shown_s))])
    assert len(shown_s) == pytest.approx(CLIPS[name].duration_s / frame_s, abs=1)


@each_clip
def test_browsers_can_play_it(name: str) -> None:
    with av.open(str(MEDIA / name)) as container:
        assert [stream.type for stream in container.streams] == ["video"]
        codec = container.streams.video[0].codec_context
        assert (codec.name, codec.pix_fmt) == ("h264", "yuv420p")
        assert codec.profile in ("Baseline", "Constrained Baseline", "Main")


@each_clip
def test_playing_can_start_before_the_file_is_complete(name: str) -> None:
    boxes = list(top_level_boxes((MEDIA / name).read_bytes()))
    assert boxes.index("moov") < boxes.index("mdat")


@each_clip
def test_the_file_is_small(name: str) -> None:
    assert (MEDIA / name).stat().st_size <= MAX_BYTES


@each_clip
def test_first_and_last_frame_differ_visibly(name: str) -> None:
    first, last = (b"".join(rows) for rows in luma_at(MEDIA / name, Fraction(0), Fraction(1)))
    changed = sum(abs(before - after) > 40 for before, after in zip(first, last, strict=True))
    assert changed > len(first) * 0.04


@each_clip
def test_neither_first_nor_last_frame_is_blank(name: str) -> None:
    for rows in luma_at(MEDIA / name, Fraction(0), Fraction(1)):
        pixels = b"".join(rows)
        assert max(pixels.count(value) for value in range(256)) < len(pixels) / 4


@each_clip
def test_the_bar_shows_how_far_the_clip_has_played(name: str) -> None:
    shares = [Fraction(quarter, 4) for quarter in range(5)]
    shown = [filled_share(rows) for rows in luma_at(MEDIA / name, *shares)]
    assert shown == pytest.approx([float(share) for share in shares], abs=0.05)


# --- the script that makes them -----------------------------------------------------------------


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the media folder, in a tree like the project's."""
    shutil.copytree(SCHEMAS / "models", tmp_path / "schemas" / "models")
    return Path(shutil.copytree(MEDIA, tmp_path / "fixtures" / "media"))


def run_script(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, folder / "make_clips.py", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_check_finds_nothing_wrong_and_lists_every_file() -> None:
    done = run_script(MEDIA, "--check")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[0] for line in done.stdout.splitlines()] == sorted(
        CLIPS, key=lambda name: (CLIPS[name].width, CLIPS[name].height, CLIPS[name].duration_s)
    )


def test_the_check_names_each_file_that_is_wrong_and_writes_nothing(copied: Path) -> None:
    (copied / "1280x720-6s.mp4").unlink()
    (copied / "910x512-6s.mp4").write_bytes((copied / "910x512-10s.mp4").read_bytes())
    (copied / "1366x768-6s.mp4").write_bytes((copied / "1920x1080-6s.mp4").read_bytes())
    (copied / "910x512-10s.mp4").write_bytes(b"no video")
    (copied / "640x360-6s.mp4").touch()
    with (copied / "1366x768-10s.mp4").open("ab") as file:
        file.write(MAX_BYTES.to_bytes(4, "big") + b"free" + bytes(MAX_BYTES - 8))
    before = {path: path.read_bytes() for path in copied.iterdir()}
    done = run_script(copied, "--check")
    assert done.returncode == 1
    assert {line.split()[0] for line in done.stderr.splitlines()} == {
        "1280x720-6s.mp4",
        "910x512-6s.mp4",
        "1366x768-6s.mp4",
        "910x512-10s.mp4",
        "640x360-6s.mp4",
        "1366x768-10s.mp4",
    }
    assert {path: path.read_bytes() for path in copied.iterdir()} == before


def test_the_script_makes_the_clips_the_models_name_and_the_same_bytes_each_time(
    copied: Path,
) -> None:
    for path in [*copied.glob("*.mp4"), *copied.parents[1].glob("schemas/models/*.json")]:
        path.unlink()
    clip = {"params": {}, "width": 192, "height": 108, "duration_s": 1}
    model = copied.parents[1] / "schemas" / "models" / "small.json"
    model.write_text(json.dumps({"clips": [clip, clip]}), "utf-8")
    made = []
    for _ in range(2):
        done = run_script(copied)
        assert (done.returncode, done.stderr) == (0, "")
        made.append({path.name: path.read_bytes() for path in copied.glob("*.mp4")})
    assert list(made[0]) == ["192x108-1s.mp4"]
    assert made[0] == made[1]
