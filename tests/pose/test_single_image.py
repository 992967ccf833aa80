"""An image of one's own: from a file or an array, with a box or without, and without a person too."""

import os

import numpy as np
import pytest
from PIL import Image

from mpii_lib.errors import DatasetError, MpiiError
from mpii_lib.pose import find_pose


class Brightest:
    """Stands for a network: logits with the top where the image is brightest."""

    input_shape, name = (None, 32, 32, 3), "brightest"

    def predict(self, images, batch_size, verbose):
        maps = np.asarray(images, np.float32)[..., :1].reshape(len(images), 16, 2, 16, 2, 1).mean(axis=(2, 4))
        return [maps.repeat(16, -1)]


def spotted(x, y, size=(120, 200)):
    image = np.zeros((*size, 3), np.uint8)
    image[y - 4 : y + 5, x - 4 : x + 5] = 255
    return image


@pytest.mark.parametrize("box", [None, [], [50, 10, 60, 90]])
def test_joints_come_back_in_pixels_of_the_image(box):
    found = find_pose(Brightest(), spotted(80, 50), box)
    assert np.abs(found.joints - [80, 50]).max() < 6
    assert found.found and found.sure.tolist() == [2] * 16 and "a person" in repr(found)
    assert found.square.side == pytest.approx(99 if box else 200)


def test_an_image_of_nobody_is_no_error():
    found = find_pose(Brightest(), np.full((90, 70, 3), 40, np.uint8), flip_test=False)
    assert not found.found and found.confidence < 0.05 and "no person found with confidence" in repr(found)


def test_what_is_transparent_lies_on_white_and_a_pipe_is_not_waited_for(tmp_path):
    hidden = np.dstack([spotted(80, 50), np.zeros((120, 200), np.uint8)])
    assert (find_pose(Brightest(), hidden).image == 255).all()
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(DatasetError, match="pipe: is a pipe or a device, not a file; give a JPEG or PNG file"):
            find_pose(Brightest(), tmp_path / "pipe")


def test_files_grey_images_and_images_with_a_fourth_channel_are_read(tmp_path):
    image = spotted(80, 50)
    Image.fromarray(image).save(tmp_path / "a.png")
    four = np.dstack([image, np.full(image.shape[:2], 255, np.uint8)])
    wanted = find_pose(Brightest(), image).joints
    for same in (tmp_path / "a.png", str(tmp_path / "a.png"), image[..., 0], four):
        np.testing.assert_allclose(find_pose(Brightest(), same).joints, wanted)


def test_a_camera_held_upright_is_followed(tmp_path):
    image = Image.fromarray(spotted(80, 50))
    exif = image.getexif()
    exif[0x0112] = 6  # turned clockwise to be looked at
    image.save(tmp_path / "phone.jpg", exif=exif)
    found = find_pose(Brightest(), tmp_path / "phone.jpg")
    assert found.image.shape == (200, 120, 3) and np.abs(found.joints - [119 - 50, 80]).max() < 6


@pytest.mark.parametrize("box", [[1, 2, 3], [0, 0, 0, 10], [500, 0, 10, 10], [0, 0, np.nan, 5]])
def test_a_box_that_holds_nothing_is_refused(box):
    with pytest.raises(DatasetError, match="box"):
        find_pose(Brightest(), spotted(80, 50), box)


def test_what_is_no_image_is_refused(tmp_path):
    (tmp_path / "a.jpg").write_text("nothing")
    for wrong, words in ((tmp_path / "a.jpg", "a.jpg: not an image"), (tmp_path / "b.jpg", "no such file")):
        with pytest.raises(DatasetError, match=words):
            find_pose(Brightest(), wrong)
    with pytest.raises(DatasetError, match="float64"):
        find_pose(Brightest(), np.zeros((5, 5, 3)))


def test_the_webcam_says_where_it_is_to_be_had():
    from mpii_course.widgets import webcam_image

    with pytest.raises(MpiiError, match="Colab"):
        webcam_image()
