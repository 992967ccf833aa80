"""The sample's images in memory, small, with what is in them: what the sample weights are pretrained on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from mpii_course.sample.activities import ACTIVITIES, CATEGORIES, share_videos
from mpii_course.sample.render import VideoRenderer
from mpii_course.sample.video import Video, random_video

T = TypeVar("T")
# First words of the seed sequences: images for pretraining never share a video with a sample, whatever the seeds.
SAMPLE_STREAM, PRETRAINING_STREAM, TEST_STREAM = 0x4D504949, 0x50524554, 0x54455354


def plan_videos(seed: int, stream: int, videos: list[T]) -> list[tuple[T, np.random.SeedSequence]]:
    """Give every video, or what is known of it, its own seed and bring the videos into a random order."""
    order = np.random.default_rng([stream, seed, 1]).permutation(len(videos))
    seeds = np.random.SeedSequence([stream, seed]).spawn(len(videos))
    return [(videos[i], child) for i, child in zip(order, seeds, strict=True)]


def render_images(
    images: int,
    size: int = 128,
    seed: int = 0,
    frames_per_video: int = 1,
    *,
    balanced: bool = False,
    workers: int = 2,
) -> tuple[NDArray[np.uint8], list[Video]]:
    """Draw images in memory, as they look when a sample of `make_sample` is read and squeezed to a square.

    Parameters
    ----------
    images
        Number of images. With fewer than 64 videos only the larger categories take part, unless `balanced`.
    size
        Side of the square images in pixels.
    seed
        Any number; no seed gives a video that a sample of `make_sample` holds.
    frames_per_video
        Near-duplicate frames of each video.
    balanced
        Every category equally often (and every activity within it) instead of in MPII's proportions.
    workers
        Threads; the images do not depend on it.

    Returns
    -------
    images (N, size, size, 3) uint8 RGB, and the video of each with all that was planned for it.
    """
    count = -(-images // frames_per_video)
    planned = plan_videos(seed, PRETRAINING_STREAM, share_videos(count, balanced))
    videos = [random_video(activity, child) for activity, child in planned]
    drawn = np.empty((images, size, size, 3), np.uint8)

    def draw(index: int) -> None:
        renderer = VideoRenderer(videos[index], (round(size * 2), round(size * 1.5)))
        first = index * frames_per_video
        for time in range(min(frames_per_video, images - first)):
            frame = renderer.frame(time, truth=False).image
            drawn[first + time] = cv2.resize(frame, (size, size), interpolation=cv2.INTER_AREA)

    with ThreadPoolExecutor(max_workers=workers) as pool:
        list(pool.map(draw, range(count)))
    return drawn, [videos[image // frames_per_video] for image in range(images)]


def render_classification(
    images: int, size: int = 128, seed: int = 0, frames_per_video: int = 1, *, balanced: bool = False, workers: int = 2
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Draw images with `render_images` (see there for the parameters) and label them.

    Returns
    -------
    images (N, size, size, 3) uint8 RGB; category (N,) int64, index into `CATEGORIES`; activity (N,) int64, index into
    `ACTIVITIES`; video (N,) int64.
    """
    drawn, videos = render_images(images, size, seed, frames_per_video, balanced=balanced, workers=workers)
    category = np.array([CATEGORIES.index(video.activity.category) for video in videos], np.int64)
    activity = np.array([ACTIVITIES.index(video.activity.name) for video in videos], np.int64)
    return drawn, category, activity, np.arange(images, dtype=np.int64) // frames_per_video
