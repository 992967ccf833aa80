"""Draw a sample and write it as the official files lie: images, the MPII annotation file, and COCO's two."""

from __future__ import annotations

import json
import os
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
from mpii_course.sample.classification import SAMPLE_STREAM, TEST_STREAM, plan_videos
from mpii_course.sample.coco import crowd_outline, outline, write_coco
from mpii_course.sample.official import SampleImage, write_mpii
from mpii_course.sample.render import Frame, VideoRenderer
from mpii_course.sample.video import Video, random_video
from mpii_lib.errors import DatasetError

if TYPE_CHECKING:
    from mpii_lib.annotations import Annotations

VERSION = 3  # raise it when the same seed gives other images or other annotations
_FRAMES = 5.5  # frames of a video, on average
_TEST, _EMPTY = 0.24, 0.015  # shares of the unlabelled test videos, and of images without anybody
_TEST_FRAMES = 3  # of each video of the labelled test part: more frames of a video tell little that is new
_SMALLEST = 64  # pixels
_QUALITY = 90
MAT_NAME = "mpii_human_pose_v1_u12_1.mat"
_MARK = "sample.json"  # written last: a folder with it holds a whole sample


@dataclass(frozen=True)
class _Shot:
    """One video of the sample and how many frames of it are drawn."""

    number: int
    video: Video
    split: str  # as in SampleImage
    frames: int


def make_sample(
    folder: str | Path,
    images: int = 1200,
    seed: int = 0,
    *,
    test_videos: int = 0,
    size: tuple[int, int] = (640, 480),
    progress: Callable[[int, int], object] | bool | None = None,
    workers: int = 2,
) -> Annotations:
    """Draw a sample of people at their activities and write it in the official layouts of MPII and COCO.

    Written are `images/NNNNNNNNN.jpg`, `mpii_human_pose_v1_u12_1.mat` with the traps of the official file, and
    `annotations/person_keypoints_{train,val}2017.json` for the same people. Categories have MPII's relative sizes. With
    600 images or more each category has at least two training videos, so that a split by video can hold it on both
    sides; smaller samples hold the larger categories only. About a quarter are test images without annotations, as in
    MPII.

    Parameters
    ----------
    folder
        Where to write; new or empty. A whole sample with the same parameters that is there already is read instead.
    images, seed
        Number of images; which images. The same seed gives the same bytes, whatever the number of workers.
    test_videos
        So many videos more, of the same categories in MPII's proportions, with three images each: a test part with
        labels and annotations, which MPII itself keeps to itself. The other images stay what they are. With 210 videos
        an accuracy near .6 has a 95 % interval over videos of about six points to either side.
    size
        Width and height of the images in pixels.
    progress
        True shows a bar; a function is called with the number of images drawn and the number of all, now and then.
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
    if images < 1 or min(width, height) < _SMALLEST or seed < 0 or test_videos < 0:
        raise DatasetError(
            f"make_sample: images={images}, size={width} x {height}, seed={seed}, test_videos={test_videos} cannot be "
            f"used; images is at least 1, a side at least {_SMALLEST} pixels, seed and test_videos at least 0"
        )
    wanted: dict[str, Any] = {"images": int(images), "seed": int(seed), "test_videos": int(test_videos)}
    wanted |= {"size": [width, height], "version": VERSION}
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
        shots = _plan(images, seed, width / height, test_videos)
        with _reporter(progress, sum(shot.frames for shot in shots)) as report:
            _write(work, shots, seed, (width, height), report, workers)
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

    unseen = bool(os.environ.get("MPII_STATIC"))  # nobody looks on, and a notebook's bar is a widget
    with tqdm(total=images, unit="image", desc="drawing the sample", leave=False, disable=unseen) as bar:
        yield lambda done, total: bar.update(done - bar.n)


def _plan(images: int, seed: int, aspect: float, test_videos: int) -> list[_Shot]:
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
    train = share_videos(count - test)
    known = len({activity.category for activity in train})
    parts = [(activity, "train") for activity in train]
    parts += [(activity, "test") for activity in share_videos(test, least=0)]
    planned = [
        (random_video(activity, child, aspect), split, int(length))
        for ((activity, split), child), length in zip(plan_videos(seed, SAMPLE_STREAM, parts), lengths, strict=True)
    ]
    videos = [video for video, _, _ in planned]
    for number in range(empty):  # single images of a place, at random among the videos
        place = replace(videos[number % count], actors=(), crowd=False, seed=int(rng.integers(1 << 62)))
        planned.insert(int(rng.integers(len(planned) + 1)), (place, "empty", 1))
    for activity, child in plan_videos(seed, TEST_STREAM, share_videos(test_videos, least=0, categories=known)):
        planned.append((random_video(activity, child, aspect), "labelled test", _TEST_FRAMES))
    return [_Shot(number, *shot) for number, shot in enumerate(planned)]


def _write(
    work: Path,
    shots: list[_Shot],
    seed: int,
    size: tuple[int, int],
    report: Callable[[int, int], object],
    workers: int,
) -> None:
    (work / "images").mkdir()
    names = _names(shots, np.random.default_rng([SAMPLE_STREAM, seed, 3]))

    def draw(shot: _Shot) -> list[SampleImage]:
        renderer = VideoRenderer(shot.video, size)
        images = []
        for time, name in enumerate(names[shot.number]):
            frame = renderer.frame(time)
            _save(work / "images" / name, frame)
            people = [truth for truth in frame.people if truth.mask.sum() >= 60]
            images.append(
                SampleImage(
                    name,
                    shot.video.activity,
                    shot.number,
                    4 + shot.number % 40 + 6 * time,
                    shot.split,
                    [replace(truth, mask=truth.mask[:0]) for truth in people],
                    [outline(truth) for truth in people] + crowd_outline(frame.crowd),
                )
            )
        return images

    drawn: list[SampleImage] = []
    with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
        try:
            for images in pool.map(draw, shots):
                drawn += images
                report(len(drawn), sum(map(len, names)))
        except BaseException:  # Ctrl-C, most of all: the pool would draw the rest before it lets go
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    write_mpii(work / MAT_NAME, drawn, np.random.default_rng([SAMPLE_STREAM, seed, 4]))
    write_coco(work / "annotations", drawn, size)


def _names(shots: list[_Shot], rng: np.random.Generator) -> list[list[str]]:
    """File names of the frames of each video: nine digits, with a 1 in front in the labelled test part."""
    further = sum(shot.frames for shot in shots if shot.split == "labelled test")
    images = sum(shot.frames for shot in shots) - further
    numbers = rng.choice(99_999_999, images, replace=False) + 1
    numbers = np.concatenate([numbers, rng.choice(99_999_999, further, replace=False) + 100_000_000])
    ends = np.cumsum([shot.frames for shot in shots])
    return [[f"{number:09d}.jpg" for number in of_one] for of_one in np.split(numbers, ends[:-1])]


def _save(path: Path, frame: Frame) -> None:
    fine, data = cv2.imencode(
        ".jpg", cv2.cvtColor(frame.image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
    )
    if not fine:
        raise DatasetError(f"{path}: OpenCV cannot encode the image; choose another size")
    path.write_bytes(data.tobytes())
