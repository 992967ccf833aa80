"""Draw a sample and write it as the official files lie: pictures, the MPII annotation file, and COCO's two."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from mpii_course.sample.activities import share_videos
from mpii_course.sample.classification import SAMPLE_STREAM, plan_videos
from mpii_course.sample.coco import Crowd, Outline, outline, write_coco
from mpii_course.sample.official import Picture, write_mpii
from mpii_course.sample.render import Frame, VideoRenderer
from mpii_course.sample.video import Video, random_video
from mpii_lib.errors import DatasetError

if TYPE_CHECKING:
    from mpii_lib.annotations import Annotations

VERSION = 2  # raise it when the same seed gives other pictures or other annotations
_FRAMES = 5.5  # frames of a video, on average
_TEST, _EMPTY = 0.24, 0.015  # shares of the test videos, and of pictures without anybody (among the test pictures too)
_SMALLEST = 64  # pixels
_QUALITY = 90
MAT_NAME = "mpii_human_pose_v1_u12_1.mat"
_MARK = "sample.json"  # written last: a folder with it holds a whole sample


@dataclass(frozen=True)
class _Shot:
    """One video of the sample: its number, frames, and the place of its first picture."""

    number: int
    video: Video
    frames: int
    first: int
    split: str  # "train", "test" or "empty"


def make_sample(
    folder: str | Path,
    images: int = 1200,
    seed: int = 0,
    *,
    size: tuple[int, int] = (640, 480),
    progress: Callable[[int, int], object] | bool | None = None,
    workers: int = 2,
) -> Annotations:
    """Draw a sample of people at their activities and write it in the official layouts of MPII and COCO.

    Written are `images/NNNNNNNNN.jpg`, `mpii_human_pose_v1_u12_1.mat` with the traps of the official file, and
    `annotations/person_keypoints_{train,val}2017.json` for the same people. Categories have MPII's relative sizes. With
    600 pictures or more each category has at least two training videos, so that a split by video can hold it on both
    sides; smaller samples hold the larger categories only. About a quarter are test pictures without annotations.

    Parameters
    ----------
    folder
        Where to write; new or empty. A whole sample with the same parameters that is there already is read instead.
    images, seed
        Number of pictures; which pictures. The same seed gives the same bytes, whatever the number of workers.
    size
        Width and height of the pictures in pixels.
    progress
        True shows a bar; a function is called with the number of pictures drawn and the number of all, now and then.
    workers
        Threads that draw.

    Returns
    -------
    Annotations
        Read back from the written file.

    Raises
    ------
    DatasetError
        The folder holds something else or cannot be written, or a number makes no sense. Nothing there is changed.
    """
    from mpii_lib.annotations import read_mpii

    folder = Path(folder).expanduser()
    width, height = (int(side) for side in size)
    if images < 1 or min(width, height) < _SMALLEST or seed < 0:
        raise DatasetError(
            f"make_sample: images={images}, size={width} x {height}, seed={seed} cannot be used; images is at least 1, "
            f"a side at least {_SMALLEST} pixels, seed at least 0"
        )
    wanted = {"images": int(images), "seed": int(seed), "size": [width, height], "version": VERSION}
    if _whole_sample(folder, wanted):
        return read_mpii(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = folder.parent / f".{folder.name}-{secrets.token_hex(4)}.part"
        work.mkdir()
    except OSError as error:
        raise DatasetError(
            f"{folder}: cannot be written ({error.strerror or error}); choose a folder where you may write"
        ) from None
    try:
        with _reporter(progress, int(images)) as report:
            _write(work, images, seed, (width, height), report, workers)
        (work / _MARK).write_text(json.dumps(wanted) + "\n", encoding="utf-8")
        try:
            if folder.is_dir():
                folder.rmdir()
            work.rename(folder)
        except OSError:
            if not _whole_sample(folder, wanted):  # else another process has drawn the same in the meantime
                raise
    except OSError as error:
        raise DatasetError(
            f"{folder}: the sample cannot be written ({error.strerror or error}); make room or choose another folder"
        ) from None
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return read_mpii(folder)


def _whole_sample(folder: Path, wanted: dict[str, Any]) -> bool:
    """Whether the folder holds the wanted sample; DatasetError when it holds something else."""
    if not folder.exists():
        return False
    advice = "choose a new or empty folder"
    if not folder.is_dir():
        raise DatasetError(f"{folder}: is a file, a folder is needed; {advice}")
    try:
        names = sorted(child.name for child in folder.iterdir())
        mark = json.loads((folder / _MARK).read_text(encoding="utf-8")) if _MARK in names else None
    except (OSError, ValueError) as error:
        raise DatasetError(f"{folder}: cannot be read ({error}); {advice}") from None
    if mark is None and names:
        raise DatasetError(f"{folder}: holds {names[0]}, which is no sample of make_sample; {advice}")
    if mark is not None and mark != wanted:
        found = (
            ", ".join(f"{key}={mark.get(key)}" for key in wanted) if isinstance(mark, dict) else "unknown parameters"
        )
        raise DatasetError(f"{folder}: holds another sample ({found}); {advice}")
    return mark is not None


@contextmanager
def _reporter(
    progress: Callable[[int, int], object] | bool | None, images: int
) -> Iterator[Callable[[int, int], object]]:
    """What to call after each video: a bar, the caller's function, or nothing."""
    if progress is not True:
        yield progress if callable(progress) else lambda done, total: None
        return
    from tqdm.auto import tqdm

    with tqdm(total=images, unit="picture", desc="drawing the sample", leave=False) as bar:
        yield lambda done, total: bar.update(done - bar.n)


def _plan(images: int, seed: int, aspect: float) -> list[_Shot]:
    """Which videos there are, of which activity, how long and in which split."""
    rng = np.random.default_rng([SAMPLE_STREAM, seed, 2])
    empty = round(_EMPTY * images)
    count = max(1, round((images - empty) / _FRAMES))
    test = round(_TEST * count)
    lengths = rng.integers(3, 9, count)
    while lengths.sum() != images - empty:
        step = int(np.sign(images - empty - lengths.sum()))
        chosen = rng.integers(count)
        if lengths[chosen] + step >= 1:
            lengths[chosen] += step
    activities = share_videos(count - test) + share_videos(test, least=0)
    splits = ["train"] * (count - test) + ["test"] * test
    videos = [random_video(activity, child, aspect) for activity, child in plan_videos(seed, SAMPLE_STREAM, activities)]
    order = np.random.default_rng([SAMPLE_STREAM, seed, 1]).permutation(count)  # as plan_videos has it
    planned = [
        (video, splits[source], int(length)) for video, source, length in zip(videos, order, lengths, strict=True)
    ]
    for number in range(empty):  # single pictures of a place, at random among the videos
        place = replace(videos[number % count], actors=(), crowd=False, seed=int(rng.integers(1 << 62)))
        planned.insert(int(rng.integers(len(planned) + 1)), (place, "empty", 1))
    shots, first = [], 0
    for number, (video, split, frames) in enumerate(planned):
        shots.append(_Shot(number, video, frames, first, split))
        first += frames
    return shots


def _write(
    work: Path, images: int, seed: int, size: tuple[int, int], report: Callable[[int, int], object], workers: int
) -> None:
    (work / "images").mkdir()
    shots = _plan(images, seed, size[0] / size[1])
    rng = np.random.default_rng([SAMPLE_STREAM, seed, 3])
    names = [f"{number:09d}.jpg" for number in rng.choice(99_999_999, images, replace=False) + 1]
    pictures: list[Picture | None] = [None] * images
    outlines: list[list[Outline]] = [[] for _ in range(images)]
    crowds: list[Crowd | None] = [None] * images

    def draw(shot: _Shot) -> int:
        renderer = VideoRenderer(shot.video, size)
        for time in range(shot.frames):
            at = shot.first + time
            frame = renderer.frame(time)
            _save(work / "images" / names[at], frame)
            people = [truth for truth in frame.people if truth.mask.sum() >= 60]
            outlines[at] = [outline(truth) for truth in people]
            crowds[at] = Crowd.of(frame.crowd)
            keep = [replace(truth, mask=truth.mask[:0]) for truth in people]
            seconds = 4 + shot.number % 40 + 6 * time
            pictures[at] = Picture(names[at], shot.video.activity, shot.number, seconds, shot.split, keep)
        return shot.frames

    done = 0
    with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
        try:
            for frames in pool.map(draw, shots):
                done += frames
                report(done, images)
        except BaseException:  # Ctrl-C, most of all: the pool would draw the rest before it lets go
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    drawn = [picture for picture in pictures if picture is not None]
    write_mpii(work / MAT_NAME, drawn, np.random.default_rng([SAMPLE_STREAM, seed, 4]))
    write_coco(work / "annotations", drawn, outlines, crowds, size)


def _save(path: Path, frame: Frame) -> None:
    fine, data = cv2.imencode(
        ".jpg", cv2.cvtColor(frame.image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
    )
    if not fine:
        raise DatasetError(f"{path}: OpenCV cannot encode the picture; choose another size")
    path.write_bytes(data.tobytes())
