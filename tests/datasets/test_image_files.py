"""Whatever lies where an image should be: an array, or a reason, before memory is taken and without waiting."""

import os
import socket
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image, ImageFile

from mpii_lib.datasets.image_files import read_image
from mpii_lib.errors import DatasetError

WHITE, GREEN = (255, 255, 255), (10, 200, 30)


def png(width, height, colour=2, depth=8, rows=b""):
    """The bytes of a PNG file."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


@pytest.fixture(scope="module")
def hidden():
    """A green square, around which magenta is invisible."""
    pixels = np.zeros((40, 40, 4), np.uint8)
    pixels[..., :3] = (255, 0, 255)
    pixels[10:30, 10:30] = (*GREEN, 255)
    return Image.fromarray(pixels)


def save_key(image, path):
    image.convert("RGB").save(path, transparency=(255, 0, 255))


@pytest.mark.parametrize(
    ("name", "save"),
    [
        ("colours and alpha.png", Image.Image.save),
        ("palette.png", lambda image, path: image.quantize(8).save(path)),
        ("one frame.gif", Image.Image.save),
        ("one colour of all.png", save_key),
    ],
)
def test_what_is_transparent_lies_on_white(hidden, tmp_path, name, save):
    save(hidden, tmp_path / name)
    for size in (None, (20, 20)):
        image = read_image(tmp_path / name, size)
        assert tuple(image[0, 0]) == WHITE and tuple(image[image.shape[0] // 2, image.shape[1] // 2]) == GREEN


def test_transparent_grey_lies_on_white_too_and_half_of_it_half(tmp_path):
    pixels = np.full((40, 40, 2), (77, 0), np.uint8)
    pixels[10:30] = (200, 255)
    pixels[20:] = (0, 128)
    Image.fromarray(pixels).save(tmp_path / "la.png")
    assert read_image(tmp_path / "la.png")[[0, 15, 30], 0].tolist() == [[255] * 3, [200] * 3, [127] * 3]
    Image.fromarray(pixels[..., 1] > 0).save(tmp_path / "1.png", transparency=0)
    assert read_image(tmp_path / "1.png")[[0, 15], 0].tolist() == [[255] * 3, [255] * 3]


def test_colours_of_16_bits_keep_their_upper_half_and_the_invisible_is_white(tmp_path):
    row = b"\0" + struct.pack(">HHH", 40000, 20000, 100) * 4
    (tmp_path / "rgb.png").write_bytes(png(4, 4, 2, 16, row * 4))
    assert read_image(tmp_path / "rgb.png")[0, 0].tolist() == [156, 78, 0]
    row = b"\0" + struct.pack(">HHHH", 40000, 20000, 100, 0) * 4
    (tmp_path / "rgba.png").write_bytes(png(4, 4, 6, 16, row * 4))
    assert read_image(tmp_path / "rgba.png")[0, 0].tolist() == [255] * 3


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_what_is_no_file_is_not_waited_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the path of a socket is short
    os.mkfifo("pipe")
    os.symlink("/dev/zero", "device")
    os.symlink("loop", "loop")
    os.mkdir("folder")
    with socket.socket(socket.AF_UNIX) as end:
        end.bind("socket")
        for name in ("pipe", "device", "socket"):
            with pytest.raises(DatasetError, match="^is a pipe or a device, not a file$"):
                read_image(name)
    for name, reason in (("folder", "is a directory"), ("loop", "links"), ("x" * 300, "name too long")):
        with pytest.raises(DatasetError, match=reason):
            read_image(name)
    for name in ("a\0b", "\ud800"):
        with pytest.raises(DatasetError):
            read_image(name)


@pytest.mark.parametrize("side", [13_000, 100_000, 2**31 - 1])
@pytest.mark.parametrize("action", ["ignore", "error"])
def test_a_header_that_promises_too_much_is_refused_before_memory_is_taken(tmp_path, side, action, monkeypatch):
    def decode(self):
        raise AssertionError("decoded")

    (tmp_path / "a.png").write_bytes(png(side, side))
    monkeypatch.setattr(ImageFile.ImageFile, "load", decode)
    with warnings.catch_warnings(), pytest.raises(DatasetError, match="pixels"):
        warnings.simplefilter(action, Image.DecompressionBombWarning)
        read_image(tmp_path / "a.png", (8, 8))


def test_other_formats_are_not_opened(tmp_path):
    for name in ("a.tif", "a.ppm", "a.ico", "a.tga", "a.pcx"):
        Image.new("RGB", (32, 32)).save(tmp_path / name)
        with pytest.raises(DatasetError, match="^not an image$"):
            read_image(tmp_path / name)
    (tmp_path / "a.eps").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n")
    with pytest.raises(DatasetError, match="^not an image$"):
        read_image(tmp_path / "a.eps")
