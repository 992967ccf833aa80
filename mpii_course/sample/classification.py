"""The sample's pictures in memory, small, with labels: what the sample weights are pretrained on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from numpy.typing import NDArray

from mpii_course.sample.activities import ACTIVITIES, CATEGORIES, Activity, share_videos
from mpii_course.sample.render import VideoRenderer
from mpii_course.sample.video import random_video

# First words of the seed sequences: pictures for pretraining never share a video with a sample, whatever the seeds.
SAMPLE_STREAM, PRETRAINING_STREAM = 0x4D504949, 0x50524554


def plan_videos(seed: int, stream: int, activities: list[Activity]) -> list[tuple[Activity, np.random.SeedSequence]]:
    """Give every video its own seed and bring the videos into a random order."""
    order = np.random.default_rng([stream, seed, 1]).permutation(len(activities))
    seeds = np.random.SeedSequence([stream, seed]).spawn(len(activities))
    return [(activities[i], child) for i, child in zip(order, seeds, strict=True)]


def render_classification(
    images: int,
    size: int = 128,
    seed: int = 0,
    frames_per_video: int = 1,
    *,
    balanced: bool = False,
    workers: int = 2,
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Draw labelled pictures in memory, as they look when a sample of `make_sample` is read and squeezed to a square.

    Parameters
    ----------
    images
        Number of pictures. With fewer than 64 videos only the larger categories take part, unless `balanced`.
    size
        Side of the square pictures in pixels.
    seed
        Any number; no seed gives a video that a sample of `make_sample` holds.
    frames_per_video
        Near-duplicate frames of each video.
    balanced
        Every category equally often (and every activity within it) instead of in MPII's proportions.
    workers
        Threads; the pictures do not depend on it.

    Returns
    -------
    pictures (N, size, size, 3) uint8 RGB; category (N,) int64, index into `CATEGORIES`; activity (N,) int64, index into
    `ACTIVITIES`; video (N,) int64.
    """
    count = -(-images // frames_per_video)
    videos = plan_videos(seed, PRETRAINING_STREAM, share_videos(count, balanced))
    pictures = np.empty((images, size, size, 3), np.uint8)
    draw_size = (round(size * 2), round(size * 1.5))

    def draw(index: int) -> None:
        activity, child = videos[index]
        renderer = VideoRenderer(random_video(activity, child), draw_size)
        first = index * frames_per_video
        for time in range(min(frames_per_video, images - first)):
            frame = renderer.frame(time, truth=False).image
            pictures[first + time] = cv2.resize(frame, (size, size), interpolation=cv2.INTER_AREA)

    with ThreadPoolExecutor(max_workers=workers) as pool:
        list(pool.map(draw, range(count)))
    video = np.arange(images) // frames_per_video
    category = np.array([CATEGORIES.index(videos[v][0].category) for v in video], np.int64)
    activity = np.array([ACTIVITIES.index(videos[v][0].name) for v in video], np.int64)
    return pictures, category, activity, video.astype(np.int64)
