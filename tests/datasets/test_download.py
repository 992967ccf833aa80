"""Downloads survive broken connections, refuse wrong bytes and hostile archives. The server is on this machine."""

import errno
import gc
import gzip
import hashlib
import io
import os
import shutil
import tarfile
import threading
import zipfile
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from mpii_lib.datasets import download, fetch_coco, fetch_mpii
from mpii_lib.datasets.download import Archive, ResumingDownloader, unpack
from mpii_lib.errors import ArgumentError, DatasetError
from mpii_lib.files import exclusive

BODY = bytes(range(256)) * 2000  # 512,000 bytes
BLOCK = 65536  # the downloader writes blocks of this size


@dataclass
class Site:
    """What the server says, and what it was asked."""

    url: str = ""
    files: dict = field(default_factory=dict)
    etag: str = '"one"'
    ranges: bool = True
    break_after: list = field(default_factory=list)  # bytes after which the next connections are cut
    status: list = field(default_factory=list)  # error statuses of the next answers
    headers: dict = field(default_factory=dict)  # said in place of the right ones
    asked: list = field(default_factory=list)  # (Range, status) of each request


@pytest.fixture
def site():
    here = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body, wanted = here.files.get(self.path), self.headers.get("Range")
            status = here.status.pop(0) if here.status else (200 if body is not None else 404)
            if status != 200:
                here.asked.append((wanted, status))
                self.send_error(status)
                return
            start = 0
            if wanted and here.ranges and self.headers.get("If-Range") == here.etag:
                start = int(wanted.removeprefix("bytes=").removesuffix("-"))
                status = 206 if start < len(body) else 416
            status = 302 if "Location" in here.headers else status
            here.asked.append((wanted, status))
            self.send_response(status)
            if here.etag:
                self.send_header("ETag", here.etag)
            if status == 416:
                self.send_header("Content-Range", f"bytes */{len(body)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            if status == 206:
                self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
            for name, value in ({"Content-Length": str(len(body) - start)} | here.headers).items():
                self.send_header(name, value)
            self.end_headers()
            limit = here.break_after.pop(0) if here.break_after else None
            self.wfile.write(body[start:][:limit])

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    here.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield here
    server.shutdown()
    server.server_close()
    thread.join()


def get(site, folder, **options):
    downloader = ResumingDownloader(folder / "f.part", progress=False, pause=0.01, **options)
    downloader(f"{site.url}/f", folder / "f")
    assert sorted(os.listdir(folder)) == ["f"], "nothing else is left"
    return (folder / "f").read_bytes()


def test_a_broken_connection_goes_on_where_it_stopped(site, tmp_path):
    site.files["/f"] = BODY
    site.break_after = [2 * BLOCK, BLOCK + 10]
    assert get(site, tmp_path) == BODY
    assert site.asked == [(None, 200), ("bytes=131072-", 206), ("bytes=196608-", 206)]


def test_a_later_run_goes_on_where_the_first_gave_up(site, tmp_path):
    site.files["/f"] = BODY
    site.break_after = [3 * BLOCK]
    with pytest.raises(DatasetError, match="broke off after 196608 bytes.*run the same command again"):
        get(site, tmp_path, attempts=1)
    assert (tmp_path / "f.part").read_bytes() == BODY[: 3 * BLOCK] and not (tmp_path / "f").exists()
    assert get(site, tmp_path) == BODY
    assert site.asked[-1] == ("bytes=196608-", 206)


def test_a_new_version_on_the_server_starts_over(site, tmp_path):
    site.files["/f"] = BODY
    site.break_after = [3 * BLOCK]
    with pytest.raises(DatasetError):
        get(site, tmp_path, attempts=1)
    site.etag, site.files["/f"] = '"two"', BODY[::-1]
    assert get(site, tmp_path) == BODY[::-1]
    assert site.asked[-1] == ("bytes=196608-", 200)


@pytest.mark.parametrize("etag", ["", 'W/"weak"'])
def test_without_a_reliable_mark_nothing_is_pieced_together(site, tmp_path, etag):
    site.files["/f"], site.etag = BODY, etag
    site.break_after = [3 * BLOCK]
    assert get(site, tmp_path) == BODY
    assert site.asked == [(None, 200), (None, 200)]


def test_a_server_that_ignores_ranges_is_read_from_the_start(site, tmp_path):
    site.files["/f"], site.ranges = BODY, False
    site.break_after = [3 * BLOCK]
    assert get(site, tmp_path) == BODY


def test_a_part_that_is_whole_is_only_moved(site, tmp_path):
    site.files["/f"] = BODY
    (tmp_path / "f.part").write_bytes(BODY)
    (tmp_path / "f.part.mark").write_text('"one"')
    assert get(site, tmp_path) == BODY and site.asked == [("bytes=512000-", 416)]


def test_a_part_that_is_too_long_starts_over(site, tmp_path):
    site.files["/f"] = BODY
    (tmp_path / "f.part").write_bytes(BODY + b"x")
    (tmp_path / "f.part.mark").write_text('"one"')
    assert get(site, tmp_path) == BODY


def test_a_server_in_trouble_is_asked_again_and_a_missing_file_is_not(site, tmp_path):
    site.files["/f"], site.status = BODY, [503, 429, 500]
    assert get(site, tmp_path) == BODY and [status for _, status in site.asked] == [503, 429, 500, 200]
    site.asked.clear()
    with pytest.raises(DatasetError, match="/g: the server answers 404"):
        ResumingDownloader(tmp_path / "g.part", progress=False)(f"{site.url}/g", tmp_path / "g")
    assert len(site.asked) == 1


def test_attempts_that_bring_nothing_come_to_an_end(site, tmp_path):
    site.files["/f"], site.break_after = BODY, [BLOCK] + [0] * 10
    with pytest.raises(DatasetError, match="broke off after 65536 bytes"):
        get(site, tmp_path, attempts=3)
    assert len(site.asked) == 3


def test_no_network_is_one_clear_line(tmp_path):
    with pytest.raises(DatasetError, match="127.0.0.1:9/f: broke off after 0 bytes.*check the network"):
        fetch = ResumingDownloader(tmp_path / "p", progress=False, attempts=2, pause=0.01)
        fetch("http://127.0.0.1:9/f", tmp_path / "f")


def test_a_packed_body_that_was_not_asked_for_is_unpacked_and_never_pieced_together(site, tmp_path):
    site.files["/f"] = gzip.compress(BODY[::-1] + os.urandom(3 * BLOCK), mtime=0)
    site.headers, site.break_after = {"Content-Encoding": "gzip"}, [2 * BLOCK]
    assert get(site, tmp_path) == gzip.decompress(site.files["/f"])
    assert [status for _, status in site.asked] == [200, 200] and site.asked[1][0] is None


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # urllib3 drops a connection with two lengths
@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({"Content-Length": "abc"}, "makes no sense .*'abc'"),
        ({"Content-Length": "9" * 5000}, "makes no sense"),
        ({"Content-Length": "9" * 500}, "broke off after"),
        ({"Content-Length": "1, 2"}, "Content-Length"),
        ({"Location": "http://[::1"}, "Invalid IPv6 URL"),
        ({"Location": "http://"}, "the server answers 302"),
        ({"Location": "ftp://127.0.0.1/f"}, "No connection adapters"),
        ({"Location": "file:///etc/passwd"}, "No connection adapters"),
        ({"Location": "http://" + "x" * 5000 + "/"}, "makes no sense"),
        ({"Location": "/f"}, "the server answers 302"),
    ],
)
def test_headers_that_make_no_sense_are_one_line(site, tmp_path, headers, message):
    site.files["/f"], site.headers = BODY, headers
    with pytest.raises(DatasetError, match=message) as caught:
        get(site, tmp_path, attempts=2)
    gc.collect()
    assert len(str(caught.value)) < 400 and "\n" not in str(caught.value)


@pytest.mark.parametrize("mark", ['"\xe9"', "a\r\n b", "\u2713"])
def test_a_mark_that_cannot_be_sent_back_starts_over(site, tmp_path, mark):
    site.files["/f"] = BODY
    (tmp_path / "f.part").write_bytes(b"x" * BLOCK)
    (tmp_path / "f.part.mark").write_text(mark, "utf-8")
    assert get(site, tmp_path) == BODY and site.asked == [(None, 200)]


def zip_bytes(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    return buffer.getvalue()


def tar_bytes(members, kind=tarfile.REGTYPE, link=""):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as file:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.type, info.linkname = (len(content) if kind == tarfile.REGTYPE else 0), kind, link
            file.addfile(info, io.BytesIO(content) if kind == tarfile.REGTYPE else None)
    return buffer.getvalue()


@pytest.fixture
def mirror(site, monkeypatch):
    """The library's table of archives, pointed at this machine."""
    bodies = {
        "mpii annotations": zip_bytes({"v1_u12_2/README.md": b"", "v1_u12_2/mpii_human_pose_v1_u12_1.mat": b"mat"}),
        "mpii images": tar_bytes({"images/1.jpg": b"one", "images/2.jpg": b"two"}),
        "coco annotations": zip_bytes(
            {f"annotations/{kind}_{split}2017.json": b"{}"
             for kind in ("person_keypoints", "instances") for split in ("train", "val")}
        ),
        "coco train": zip_bytes({"train2017/1.jpg": b"t"}),
        "coco val": zip_bytes({"val2017/1.jpg": b"v"}),
    }  # fmt: skip
    for name, body in bodies.items():
        old = download.ARCHIVES[name]
        site.files[f"/{old.name}"] = body
        new = Archive(f"{site.url}/{old.name}", hashlib.sha256(body).hexdigest(), len(body), old.gives, old.wanted)
        monkeypatch.setitem(download.ARCHIVES, name, new)
    return site


def visible_files(folder):
    files = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    return sorted(name for name in files if not name.startswith(".downloads/"))


def test_mpii_is_put_where_the_reader_looks(mirror, tmp_path):
    assert fetch_mpii(tmp_path / "new" / "mpii", progress=False) == tmp_path / "new" / "mpii"
    expected = ["README.md", "images/1.jpg", "images/2.jpg", "mpii_human_pose_v1_u12_1.mat"]
    assert visible_files(tmp_path / "new" / "mpii") == expected
    assert os.listdir(tmp_path / "new" / "mpii" / ".downloads") == ["lock"], "the archives are gone"
    mirror.asked.clear()
    fetch_mpii(tmp_path / "new" / "mpii", progress=False)
    assert mirror.asked == [], "what is there is not fetched again"


def test_annotations_alone(mirror, tmp_path):
    fetch_mpii(tmp_path, images=False, progress=False)
    assert visible_files(tmp_path) == ["README.md", "mpii_human_pose_v1_u12_1.mat"] and len(mirror.asked) == 1


def test_coco_is_put_where_the_reader_looks(mirror, tmp_path):
    fetch_coco(tmp_path, progress=False)
    keypoints = ["annotations/person_keypoints_train2017.json", "annotations/person_keypoints_val2017.json"]
    assert visible_files(tmp_path) == [*keypoints, "val2017/1.jpg"]
    fetch_coco(tmp_path, "train", progress=False)
    assert visible_files(tmp_path) == [*keypoints, "train2017/1.jpg", "val2017/1.jpg"]
    with pytest.raises(ArgumentError, match="split is 'test'; give one of 'train', 'val'"):
        fetch_coco(tmp_path, "test")


def test_wrong_bytes_are_deleted_and_nothing_that_was_there_is_touched(mirror, tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    name = "/" + download.ARCHIVES["mpii annotations"].name
    right, mirror.files[name] = mirror.files[name], b"something else entirely"
    with pytest.raises(DatasetError, match="SHA-256.*deleted"):
        fetch_mpii(tmp_path, progress=False)
    assert visible_files(tmp_path) == ["mine.txt"] and os.listdir(tmp_path / ".downloads") == ["lock"]
    mirror.files[name] = right
    fetch_mpii(tmp_path, progress=False)
    assert "mpii_human_pose_v1_u12_1.mat" in visible_files(tmp_path)


def test_images_that_are_there_are_kept(mirror, tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "own.jpg").write_bytes(b"own")
    fetch_mpii(tmp_path, progress=False)
    assert visible_files(tmp_path) == ["README.md", "images/own.jpg", "mpii_human_pose_v1_u12_1.mat"]


def test_an_interrupted_unpacking_leaves_nothing_half_and_needs_no_second_download(mirror, tmp_path, monkeypatch):
    def stop(source, folder):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(download, "_move_into", stop)
        fetch_mpii(tmp_path, progress=False)
    assert visible_files(tmp_path) == []
    mirror.asked.clear()
    fetch_mpii(tmp_path, images=False, progress=False)
    assert mirror.asked == [] and "mpii_human_pose_v1_u12_1.mat" in visible_files(tmp_path)


def test_a_full_disk_is_named_before_the_download(mirror, tmp_path, monkeypatch):
    monkeypatch.setattr(download.shutil, "disk_usage", lambda path: SimpleNamespace(free=10))
    with pytest.raises(DatasetError, match="are needed and 10.0B are free; make room"):
        fetch_mpii(tmp_path, progress=False)
    assert mirror.asked == []


def test_what_a_killed_run_had_unpacked_counts_as_room(mirror, tmp_path, monkeypatch):
    left = tmp_path / ".downloads" / "mpii_human_pose_v1_u12_2.zip.unpacked"
    left.mkdir(parents=True)
    (left / "half.mat").write_bytes(b"x" * 1000)
    (left.parent / "tmp1a2b3c4d").touch()  # as pooch leaves one
    monkeypatch.setattr(
        download.shutil, "disk_usage", lambda path: SimpleNamespace(free=10 if left.exists() else 10**9)
    )
    fetch_mpii(tmp_path, images=False, progress=False)
    assert os.listdir(left.parent) == ["lock"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(DatasetError, match="file.*cannot be written to.*choose another folder"):
        fetch_mpii(tmp_path / "file", progress=False)


@pytest.mark.parametrize("make", [zip_bytes, tar_bytes])
@pytest.mark.parametrize("name", ["../out.txt", "a/../../out.txt", "/tmp/out.txt", "C:/out.txt", "..\\out.txt"])
def test_members_that_lead_out_are_refused(tmp_path, make, name):
    (tmp_path / "a.bin").write_bytes(make({name: b"x"}))
    with pytest.raises(DatasetError, match="would be written outside"):
        unpack(tmp_path / "a.bin", tmp_path / "in" / "side")
    assert visible_files(tmp_path) == ["a.bin"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_in_a_tar_are_refused(tmp_path, kind):
    (tmp_path / "a.tar.gz").write_bytes(tar_bytes({"link": b""}, kind, "../../etc/passwd"))
    with pytest.raises(DatasetError, match="'link' is not a plain file"):
        unpack(tmp_path / "a.tar.gz", tmp_path / "in")


def test_links_in_a_zip_are_refused(tmp_path):
    info = zipfile.ZipInfo("link")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr(info, "../secret")
    with pytest.raises(DatasetError, match="'link' is not a plain file"):
        unpack(tmp_path / "a.zip", tmp_path / "in")


@pytest.mark.parametrize("make", [zip_bytes, tar_bytes])
def test_a_broken_archive_is_named(tmp_path, make):
    body = make({"a.bin": os.urandom(50_000)})
    (tmp_path / "a").write_bytes(body[:30_000])
    with pytest.raises(DatasetError, match="cannot be unpacked.*fetch it again"):
        unpack(tmp_path / "a", tmp_path / "in")


@pytest.mark.parametrize("make", [zip_bytes, tar_bytes])
@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a", "a/b"], "member 'a/b': a file has the name of a folder; the archive is not used"),
        (["a/b", "a"], "member 'a': a file has the name of a folder; the archive is not used"),
        (["x" * 300], r"member 'xxxx.*\.\.\..*xxx': is longer than the file system allows; choose a folder"),
        (
            [("y" * 100 + "/") * 50 + "y"],
            r"member 'yyyy.*\.\.\..*yyy': is longer than the file system allows; choose a folder",
        ),
        ([""], "member '' has no name; the archive is not used"),
    ],
)
def test_members_that_no_file_can_be_get_advice_that_fits(tmp_path, make, names, message):
    if names == [""] and make is zip_bytes:
        body = make({"nameless": b"x"}).replace(
            b"nameless", b"\0ameless"
        )  # zipfile reads up to the 0, and writes no ""
    else:
        body = make(dict.fromkeys(names, b"x"))
    (tmp_path / "a.bin").write_bytes(body)
    with pytest.raises(DatasetError, match=message) as caught:
        unpack(tmp_path / "a.bin", tmp_path / "in")
    assert len(str(caught.value)) < 400 and "\n" not in str(caught.value)


@pytest.mark.parametrize("make", [zip_bytes, tar_bytes])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_a_full_or_closed_disk_is_not_blamed_on_the_archive(tmp_path, make, number, monkeypatch):
    def fail(*args):
        raise OSError(number, os.strerror(number))

    (tmp_path / "a.bin").write_bytes(make({"a": b"x"}))
    monkeypatch.setattr(shutil, "copyfileobj", fail)
    monkeypatch.setattr(tarfile, "copyfileobj", fail)
    with pytest.raises(DatasetError, match=rf"in: cannot be written \({os.strerror(number)}\); choose another folder"):
        unpack(tmp_path / "a.bin", tmp_path / "in")


def test_the_published_table_is_whole():
    assert set(download.ARCHIVES) == {"mpii annotations", "mpii images", "coco annotations", "coco train", "coco val"}
    for archive in download.ARCHIVES.values():
        assert len(archive.sha256) == 64 and int(archive.sha256, 16) and archive.size > 10**7
        assert archive.url.startswith(("https://datasets.d2.mpi-inf.mpg.de/", "http://images.cocodataset.org/"))


def test_only_one_at_a_time_holds_the_lock(tmp_path):
    inside, overlaps = [], []

    def work():
        with exclusive(tmp_path / "lock"):
            overlaps.append(len(inside))
            inside.append(1)
            threading.Event().wait(0.03)
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert overlaps == [0, 0, 0, 0]
