"""Download the official data: resumed when broken off, checked by SHA-256, unpacked safely, in place only when whole.

pooch compares hashes and moves the finished file. It cannot resume, so the bytes are fetched by `ResumingDownloader`.
"""

from __future__ import annotations

import errno
import os
import reprlib
import shutil
import stat
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from mpii_lib.arguments import checked
from mpii_lib.errors import DatasetError, one_line
from mpii_lib.files import exclusive, make_folder, unwritable, want_room


@dataclass(frozen=True)
class Archive:
    """A published file and what becomes of it.

    `size` is in bytes; `gives` is the file or folder that is in the data folder once it is unpacked; only members with
    `wanted` in their names are unpacked.
    """

    url: str
    sha256: str
    size: int
    gives: str
    wanted: str = ""

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.url.rsplit("/", 1)[-1]


_UNUSED = "the archive is not used, fetch it from its owner"
_OF_A_MEMBER = {
    **dict.fromkeys((errno.EEXIST, errno.ENOTDIR, errno.EISDIR), f"a file has the name of a folder; {_UNUSED}"),
    errno.ENAMETOOLONG: "is longer than the file system allows; choose a folder with a shorter path, or another disk",
}
_MPII = "https://datasets.d2.mpi-inf.mpg.de/andriluka14cvpr/"
_COCO = "http://images.cocodataset.org/"
# Sizes and SHA-256 as TensorFlow Datasets records them (url_checksums/mpii_human_pose.txt and coco.txt); the owners of
# the data publish none. COCO's server has no certificate of its own for https, which the hash makes up for.
ARCHIVES = {
    "mpii annotations": Archive(
        _MPII + "mpii_human_pose_v1_u12_2.zip",
        "3e8bd6b61d39bc2e2bc5cd33a17b0bd08cd2d06c302f24f552042e53a35bcb76",
        12_340_483,
        "mpii_human_pose_v1_u12_1.mat",
    ),
    "mpii images": Archive(
        _MPII + "mpii_human_pose_v1.tar.gz",
        "6d26fbf89f49a7aeff4aa5f98123763f334693806b98eb15630f57a0b50998ce",
        12_088_943_206,
        "images",
    ),
    "coco annotations": Archive(
        _COCO + "annotations/annotations_trainval2017.zip",
        "113a836d90195ee1f884e704da6304dfaaecff1f023f49b6ca93c4aaae470268",
        252_907_541,
        "annotations/person_keypoints_val2017.json",
        "person_keypoints_",
    ),
    "coco train": Archive(
        _COCO + "zips/train2017.zip",
        "69a8bb58ea5f8f99d24875f21416de2e9ded3178e903f1f7603e283b9e06d929",
        19_336_861_798,
        "train2017",
    ),
    "coco val": Archive(
        _COCO + "zips/val2017.zip",
        "4f7e2ccb2866ec5041993c9cf2a952bbed69647b115d0f74da7ce8f4bef82f05",
        815_585_330,
        "val2017",
    ),
}


@checked
def fetch_mpii(folder: str | Path, *, images: bool = True, progress: bool = True) -> Path:
    """Download MPII Human Pose: 12 MB of annotations and 12 GB of images (twice that while it unpacks).

    Parameters
    ----------
    folder
        Where `mpii_human_pose_v1_u12_1.mat` and `images/` go; made if it is not there. What is there already is kept
        and not fetched again. After an interruption the same call goes on where the last one stopped.
    images
        Fetch the images too.
    progress
        Show progress bars.

    Returns
    -------
    pathlib.Path
        The folder, ready for `read_mpii`.

    Raises
    ------
    DatasetError
        The server cannot be reached, the disk is full, the folder cannot be written to, or a file has another SHA-256
        than it should have (it is deleted). Nothing that was there is touched.
    """
    names = ["mpii annotations", "mpii images"] if images else ["mpii annotations"]
    return _fetch(Path(folder), [ARCHIVES[name] for name in names], progress)


@checked
def fetch_coco(
    folder: str | Path, split: Literal["train", "val"] = "val", *, images: bool = True, progress: bool = True
) -> Path:
    """Download COCO 2017: the keypoint annotations of both splits (253 MB), the images of one (val 0.8, train 19 GB).

    Parameters
    ----------
    folder
        Where `annotations/` and `val2017/` or `train2017/` go; otherwise as in `fetch_mpii`.
    split
        Whose images to fetch.
    images, progress
        As in `fetch_mpii`.

    Returns
    -------
    pathlib.Path
        The folder, ready for `read_coco`.

    Raises
    ------
    DatasetError
        As in `fetch_mpii`.
    """
    names = ["coco annotations", f"coco {split}"] if images else ["coco annotations"]
    return _fetch(Path(folder), [ARCHIVES[name] for name in names], progress)


def _fetch(folder: Path, archives: list[Archive], progress: bool) -> Path:
    """Bring the archives that are not unpacked yet into the folder."""
    work = folder / ".downloads"
    make_folder(work, DatasetError)
    try:
        with exclusive(work / "lock"):
            for leftover in work.glob("tmp*"):  # pooch's, of a run that was killed
                leftover.unlink()
            for archive in archives:
                if not _is_there(folder / archive.gives):
                    _install(archive, folder, work, progress)
    except OSError as error:
        raise DatasetError(unwritable(folder, error)) from None
    return folder


def _is_there(path: Path) -> bool:
    """A file, or a folder with something in it."""
    return any(path.iterdir()) if path.is_dir() else path.exists()


def _install(archive: Archive, folder: Path, work: Path, progress: bool) -> None:
    """Download and unpack beside, then move into place and delete the archive."""
    unpacked = work / f"{archive.name}.unpacked"
    shutil.rmtree(unpacked, ignore_errors=True)  # of a run that was killed
    there = sum(file.stat().st_size for file in work.iterdir() if file.is_file())
    want_room(folder, 2 * archive.size - there, DatasetError)  # the archive, and what comes out of it
    file = _download(archive, work, progress)
    try:
        unpack(file, unpacked, lambda name: archive.wanted in name, progress)
        # MPII's annotations lie in a folder of their own inside the archive; the images belong beside them.
        found = next(iter(sorted(unpacked.rglob(Path(archive.gives).name))), None)
        if found is None:
            raise DatasetError(f"{archive.url}: holds no {archive.gives}; report it to the maintainers of the course")
        root = found.parents[len(Path(archive.gives).parts) - 1]
        _move_into(root, folder)
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)
    file.unlink()


def _move_into(source: Path, folder: Path) -> None:
    """Move everything in `source` into `folder`; a folder moves in one step unless it is there already."""
    for item in sorted(source.iterdir()):
        target = folder / item.name
        if target.is_dir() and not any(target.iterdir()):
            target.rmdir()
        if not target.exists():
            os.replace(item, target)
        elif item.is_dir() and target.is_dir():
            _move_into(item, target)


def _download(archive: Archive, work: Path, progress: bool) -> Path:
    """The archive as a file with the right SHA-256."""
    import pooch

    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel("ERROR")
    downloader = ResumingDownloader(work / f"{archive.name}.part", progress)
    try:
        return Path(pooch.retrieve(archive.url, archive.sha256, archive.name, work, downloader=downloader))
    except ValueError:
        raise DatasetError(f"{archive.url}: its SHA-256 was another, so it was deleted; try again later") from None
    finally:
        logger.setLevel(level)


@dataclass(frozen=True)
class ResumingDownloader:
    """A downloader for pooch that goes on where the last attempt, in this process or an earlier one, stopped.

    What came so far is in `part`, and the server's mark of that version (ETag or Last-Modified) beside it. The next
    request asks for the rest of the same version (`Range`, `If-Range`, RFC 9110 sections 13.1.5 and 14): the server
    answers 206 with the rest, or 200 with a new version, which starts over.

    Parameters
    ----------
    part
        Where to collect the bytes.
    progress
        Show a progress bar.
    attempts
        Requests in a row that may bring nothing before DatasetError is raised.
    pause
        Seconds before the second of them; doubles each time.
    timeout
        Seconds without a byte after which a connection counts as broken.
    """

    part: Path
    progress: bool = True
    attempts: int = 5
    pause: float = 1.0
    timeout: float = 60.0

    def __call__(self, url: str, output_file: str | Path, pooch: Any = None) -> None:
        """Fetch `url` into `output_file`; pooch calls it."""
        import requests

        failures, most = 0, self._size()
        while True:
            try:
                self._request(url)
                break
            except ValueError as error:  # an address or a header that is none
                raise DatasetError(f"{url}: the answer makes no sense ({one_line(error)}); try again later") from None
            except requests.RequestException as error:
                reply = error.response
                if reply is not None and reply.status_code < 500 and reply.status_code != 429:
                    status = f"{reply.status_code} {str(reply.reason)[:80]}"
                    raise DatasetError(f"{url}: the server answers {status}; see if the file has moved") from None
                size = self._size()
                failures, most = (1, size) if size > most else (failures + 1, most)
                if failures >= self.attempts:
                    raise DatasetError(
                        f"{url}: broke off after {size} bytes ({type(error).__name__}); check the network and run the "
                        "same command again, it goes on from there"
                    ) from None
                time.sleep(self.pause * 2 ** (failures - 1))
        os.replace(self.part, output_file)
        self._mark.unlink(missing_ok=True)

    @property
    def _mark(self) -> Path:
        return self.part.with_name(self.part.name + ".mark")

    def _size(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _request(self, url: str) -> None:
        """One request; returns when the part is whole, raises requests.RequestException when more attempts may help."""
        import requests
        from tqdm.auto import tqdm

        start = self._size()
        headers = {"Accept-Encoding": "identity"}
        mark = self._mark.read_text("utf-8", "replace") if start and self._mark.exists() else ""
        if mark and mark.isascii() and mark.isprintable():
            headers |= {"Range": f"bytes={start}-", "If-Range": mark}
        with requests.get(url, headers=headers, stream=True, timeout=self.timeout) as reply:
            content_range = reply.headers.get("Content-Range", "")
            packed = reply.headers.get("Content-Encoding", "identity") != "identity"  # unasked, undone by requests
            if reply.status_code == 416 and content_range == f"bytes */{start}":
                return  # an earlier run had it all and was stopped before it could move it
            if reply.status_code in (206, 416) and (packed or not content_range.startswith(f"bytes {start}-")):
                self.part.unlink(missing_ok=True)
                raise requests.ConnectionError(f"the server's range {content_range!r} does not fit")
            reply.raise_for_status()
            if reply.status_code != 206:
                start = 0
                self._start_over({} if packed else reply.headers)
            length = reply.headers.get("Content-Length")
            total = start + int(length) if length and not packed else None  # it counts what was packed
            shown = {"desc": self.part.stem, "leave": False, "disable": not self.progress}
            bar = tqdm(total=total, initial=start, unit="B", unit_scale=True, **shown)
            with bar, self.part.open("ab") as file:
                for chunk in reply.iter_content(1 << 16):  # what is lost when the connection breaks is at most this
                    file.write(chunk)
                    bar.update(len(chunk))
        if total is not None and self._size() != total:
            raise requests.ConnectionError(f"{self._size()} of {total} bytes came")

    def _start_over(self, headers: Any) -> None:
        """Empty the part and note which version the coming bytes are of; weak ETags do not promise equal bytes."""
        self._mark.unlink(missing_ok=True)
        self.part.write_bytes(b"")
        tag = headers.get("ETag", "")
        mark = tag if tag and not tag.startswith("W/") else headers.get("Last-Modified", "")
        self._mark.write_text(mark, "utf-8", "replace")


def unpack(
    archive: Path, folder: Path, wanted: Callable[[str], bool] = lambda name: True, progress: bool = False
) -> None:
    """Unpack a zip or tar archive, and refuse what would be written anywhere but below `folder`.

    Raises
    ------
    DatasetError
        The archive is broken, the disk is full, or a member has an absolute path, a ".." in it, no name or one that the
        file system does not take, is a link or a device, or a file and a folder at once.
    """
    from tqdm.auto import tqdm

    make_folder(folder, DatasetError)
    with tqdm(desc=f"unpack {archive.name}", unit=" files", disable=not progress, leave=False) as bar:
        try:
            extract = _unpack_zip if zipfile.is_zipfile(archive) else _unpack_tar
            for _ in extract(archive, folder, wanted):
                bar.update()
        except DatasetError:
            raise
        except Exception as error:  # the readers raise some ten kinds of errors on broken bytes
            if isinstance(error, OSError) and error.errno in _OF_A_MEMBER:
                name = reprlib.repr(os.path.relpath(error.filename, folder))
                raise DatasetError(f"{archive}: member {name}: {_OF_A_MEMBER[error.errno]}") from None
            if getattr(error, "errno", None) not in (None, errno.EINVAL):  # EINVAL: a place before the file's beginning
                raise DatasetError(unwritable(folder, error)) from None
            reason = one_line(error) or type(error).__name__
            raise DatasetError(f"{archive}: cannot be unpacked ({reason}); delete it, fetch it again") from None


def _unpack_zip(archive: Path, folder: Path, wanted: Callable[[str], bool]) -> Iterator[None]:
    with zipfile.ZipFile(archive) as file:
        for member in file.infolist():
            _check_member(archive, member.filename, not stat.S_ISLNK(member.external_attr >> 16))
        for member in file.infolist():
            if wanted(member.filename) and not member.is_dir():
                file.extract(member, folder)
                yield


def _unpack_tar(archive: Path, folder: Path, wanted: Callable[[str], bool]) -> Iterator[None]:
    with tarfile.open(archive, "r:*") as file:
        file.extraction_filter = getattr(tarfile, "data_filter", None)  # Python before 3.11.4 has the check below alone
        for member in file:
            _check_member(archive, member.name, member.isfile() or member.isdir())
            if wanted(member.name) and member.isfile():
                file.extract(member, folder)
                yield


def _check_member(archive: Path, name: str, is_plain: bool) -> None:
    path = PurePosixPath(name.replace("\\", "/"))
    outside = path.is_absolute() or ".." in path.parts or ":" in (path.parts[0] if path.parts else "")
    if outside or not is_plain or not name:
        reason = (
            "would be written outside of the folder" if outside else "is not a plain file" if name else "has no name"
        )
        raise DatasetError(f"{archive}: member {reprlib.repr(name)} {reason}; {_UNUSED}")
