"""One call for the data of a notebook, whichever it is: the sample, MPII or COCO."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mpii_lib.arguments import checked
from mpii_lib.errors import DatasetError, one_line
from mpii_lib.files import cache_folder, exclusive

if TYPE_CHECKING:
    from mpii_lib.annotations import Annotations


@checked
def open_data(
    data: Literal["sample", "mpii", "coco"] = "sample",
    folder: str | Path = "",
    *,
    images: int = 1200,
    seed: int = 0,
    test_videos: int = 0,
    split: Literal["train", "val"] = "train",
    progress: Callable[[int, int], object] | None = None,
) -> Annotations:
    """Open the data set that a notebook's parameters `DATA` and `DATA_DIR` name.

    Parameters
    ----------
    data
        "sample" is drawn on first use, in under a minute, and read from then on; "mpii" and "coco" are read.
    folder
        "mpii": holds `mpii_human_pose_v1_u12_1.mat` and `images/`. "coco": holds `annotations/` and the images; a
        sample's folder serves too, for its COCO twin. "sample": where one is, which is read whatever its size and
        seed, or will be; "" for the user's cache folder, which the environment variable MPII_CACHE_DIR moves.
    images, seed, test_videos
        Size and seed of the sample, and the number of videos of its test part with labels (`make_sample`).
    split
        Which of COCO's two files.
    progress
        Called with the number of images drawn and of all while the sample is drawn.

    Returns
    -------
    Annotations
        As `read_mpii` or `read_coco` gives them.

    Raises
    ------
    DatasetError
        The data is not there, or may not be read; the message says what to do.
    """
    try:
        if data == "sample":
            return _open_sample(folder, images, seed, test_videos, progress)
        return _open_real(data, folder, split)
    except (OSError, ValueError) as error:  # ValueError: a name that no folder can have
        where, reason = getattr(error, "filename", None) or folder, getattr(error, "strerror", None) or one_line(error)
        raise DatasetError(f"{where}: cannot be used ({reason}); check the path and its permissions") from None


def _open_real(data: str, folder: str | Path, split: Literal["train", "val"]) -> Annotations:
    from mpii_lib.annotations import read_coco, read_mpii

    fetch = f"`mpii fetch {data} FOLDER`"
    if str(folder) == "":
        raise DatasetError(f'open_data: DATA is "{data}", DATA_DIR is empty; run {fetch}, then set DATA_DIR to FOLDER')
    path = Path(folder).expanduser()
    if not path.is_dir():
        raise DatasetError(f"{path}: there is no such folder; run {fetch} and set DATA_DIR to that folder")
    if data == "mpii":
        if not any(any(place.glob("*.mat")) for place in (path, *filter(Path.is_dir, path.iterdir()))):
            raise DatasetError(f"{path}: holds no mpii_human_pose_v1_u12_1.mat; run {fetch} or correct DATA_DIR")
        return read_mpii(path)
    file = path / "annotations" / f"person_keypoints_{split}2017.json"
    if split in ("train", "val") and not file.is_file():
        raise DatasetError(f"{file}: there is no such file; run {fetch} or correct DATA_DIR")
    return read_coco(path, split=split)


def sample_folder(images: int = 1200, seed: int = 0, test_videos: int = 0) -> Path:
    """Where the cached sample of this size, seed, test part and renderer lies or will lie."""
    from mpii_course import sample

    test = f"-{test_videos}-test-videos" if test_videos else ""
    return cache_folder() / f"sample-v{sample.VERSION}-{images}-images-seed-{seed}{test}"


def _open_sample(
    folder: str | Path, images: int, seed: int, test_videos: int, progress: Callable[[int, int], object] | None
) -> Annotations:
    """Read the sample, drawing it first where it is not; of several processes that ask at once, one draws."""
    from mpii_course.sample import make_sample
    from mpii_lib.annotations import AnnotationError, read_mpii

    path = Path(folder).expanduser() if str(folder) else sample_folder(images, seed, test_videos)
    mark = path / "sample.json"  # make_sample writes it last
    again = f"delete the folder {path}, and the next call draws it again"
    if not mark.is_file():
        if not str(folder) and path.is_dir() and any(path.iterdir()):
            raise DatasetError(f"{mark}: is missing, the sample is not whole; {again}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with exclusive(path.parent / f".{path.name}.lock"):
                if not mark.is_file():
                    make_sample(path, images, seed, test_videos=test_videos, progress=progress)
        except OSError as error:
            reason = error.strerror or error
            raise DatasetError(
                f"{path}: the sample cannot be written there ({reason}); set MPII_CACHE_DIR to a folder that can"
            ) from None
    try:
        return read_mpii(path)
    except AnnotationError as error:
        raise DatasetError(f"{str(error).rpartition(';')[0]}; the sample is damaged: {again}") from None
