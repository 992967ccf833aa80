"""Heatmaps and back: golden errors (FACTS section 4), the thesis' recipe against SciPy, joints that are not there."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image
from scipy import ndimage

from mpii_lib.errors import AnnotationError, MpiiError
from mpii_lib.pose import decode_heatmaps, encode_heatmaps, flip_heatmaps, joint_mask
from mpii_lib.skeletons import COCO


def spread(low=8, high=247, count=1700):
    """(count / 17, 17, 2) joints at random places, and all visible."""
    joints = np.random.default_rng(0).uniform(low, high, (count // 17, 17, 2))
    return joints, np.full(joints.shape[:2], 2)


def errors(method, decoder, sigma=2.0, low=8, high=247):
    joints, visibility = spread(low, high)
    found, _ = decode_heatmaps(encode_heatmaps(joints, visibility, method=method, sigma=sigma), method=decoder)
    return np.linalg.norm(found - joints, axis=2)


@pytest.mark.parametrize(
    ("method", "decoder", "mean", "largest"),
    [
        ("gaussian", "argmax", 1.54, 2.81),
        ("gaussian", "quarter", 1.54, 2.81),
        ("gaussian", "dark", 1.54, 2.81),
        ("unbiased", "argmax", 1.54, 2.81),
        ("unbiased", "quarter", 0.77, 1.40),
        ("unbiased", "dark", 0.0, 0.001),
    ],
)
@pytest.mark.parametrize("sigma", [1.0, 2.0])
def test_round_trip_errors_are_the_published_ones(method, decoder, mean, largest, sigma):
    error = errors(method, decoder, sigma)
    assert error.mean() == pytest.approx(mean, abs=0.02)
    assert error.max() <= largest + 0.02


def test_dark_is_exact_to_the_border_of_the_input():
    assert errors("unbiased", "dark", low=-0.5, high=255.49).max() < 0.001


def test_the_thesis_recipe_is_no_worse_for_a_plain_argmax():
    assert errors("thesis", "argmax", None).mean() == pytest.approx(1.53, abs=0.03)


def test_forgetting_the_half_cell_doubles_the_error():
    joints, visibility = spread()
    found, _ = decode_heatmaps(encode_heatmaps(joints, visibility))
    right = np.linalg.norm(found - joints, axis=2).mean()
    without = np.linalg.norm(found - 2 - joints, axis=2).mean()  # half a cell is two pixels
    assert without / right == pytest.approx(2, abs=0.05)


def test_mixing_two_scales_costs_a_pixel_and_a_half():
    joints, visibility = spread(0, 255, 17000)
    cells = joints * 63 / 255  # one convention draws: the outermost cells on the outermost pixels
    found, _ = decode_heatmaps(encode_heatmaps((cells + 0.5) * 4 - 0.5, visibility, method="unbiased"), method="dark")
    read = ((found + 0.5) / 4 - 0.5) * 4  # another reads: cell j at 4 j
    assert np.abs((joints - read).mean(axis=(0, 1)) - 1.5).max() < 0.05


def by_scipy(joint, sigma, resize):
    """The thesis' recipe as it stands in section 2.2.3, one map at a time."""
    image = np.zeros((256, 256))
    image[int(np.floor(joint[1] + 0.5)), int(np.floor(joint[0] + 0.5))] = 1
    image = ndimage.gaussian_filter(image, sigma).astype(np.float32)
    if resize == "antialias":
        return np.asarray(Image.fromarray(image).resize((64, 64), Image.Resampling.BILINEAR))
    how = cv2.INTER_LINEAR if resize == "bilinear" else cv2.INTER_AREA
    return cv2.resize(image, (64, 64), interpolation=how)


@pytest.mark.parametrize("resize", ["bilinear", "antialias", "area"])
def test_the_thesis_recipe_equals_scipy_and_the_usual_resizers(resize):
    joints = np.random.default_rng(1).uniform(-0.49, 255.4, (1, 17, 2))
    visibility = np.random.default_rng(2).integers(1, 3, (1, 17))
    maps = encode_heatmaps(joints, visibility, method="thesis", resize=resize)[0]
    for joint in range(17):
        expected = by_scipy(joints[0, joint], 0.5 if visibility[0, joint] == 2 else 1.0, resize)
        np.testing.assert_allclose(maps[..., joint], expected, atol=1e-6)


def test_the_peak_of_the_thesis_recipe_depends_on_the_pixel_modulo_four():
    x, y = (axis.ravel() for axis in np.meshgrid(np.arange(100, 104), np.arange(100, 104)))
    joints = np.stack([x, y], axis=-1)[None]
    peaks = {
        (resize, seen): encode_heatmaps(joints, np.full((1, 16), seen), method="thesis", resize=resize).max((0, 1, 2))
        for resize in ("bilinear", "antialias")
        for seen in (1, 2)
    }
    visible, occluded = peaks["bilinear", 2], peaks["bilinear", 1]
    assert np.unique(visible.round(4)) == pytest.approx([0.0028, 0.024, 0.199], abs=5e-4)
    assert visible.max() / visible.min() == pytest.approx(70, rel=0.05)
    assert occluded.max() / occluded.min() == pytest.approx(4.7, rel=0.05)
    assert (occluded / visible).max() > 7  # an occluded joint higher than a visible one
    smooth = peaks["antialias", 2]
    assert smooth.max() / smooth.min() == pytest.approx(1.8, abs=0.1)


def test_joints_that_are_not_annotated_or_outside_have_no_map_and_no_part_in_the_loss():
    joints = np.array([[[10, 10], [np.nan, np.nan], [100, 300], [-0.6, 10], [255.4, -0.4], [np.inf, 3], [50, 50]]])
    visibility = np.array([[2, 0, 2, 1, 1, 2, 0]])
    mask = joint_mask(joints, visibility)
    np.testing.assert_array_equal(mask, [[1, 0, 0, 0, 1, 0, 0]])
    for method in ("gaussian", "unbiased", "thesis"):
        maps = encode_heatmaps(joints, visibility, method=method)
        assert maps.dtype == np.float32 and np.isfinite(maps).all()
        np.testing.assert_array_equal(maps.max(axis=(1, 2)) > 0, mask > 0)


@pytest.mark.parametrize("method", ["gaussian", "unbiased"])
def test_occluded_joints_are_as_wide_as_asked(method):
    joints = np.full((1, 2, 2), 129.5)  # the middle of a cell
    maps = encode_heatmaps(joints, [[2, 1]], method=method, sigma=(1.0, 3.0))[0]
    for joint, sigma in enumerate((1.0, 3.0)):
        assert maps[32, 33, joint] == pytest.approx(np.exp(-0.5 / sigma**2), abs=1e-6)
        assert maps[..., joint].max() == 1


def test_maps_need_not_be_square():
    joints = np.array([[[190.0, 250.0], [3.0, 100.0]]])
    maps = encode_heatmaps(joints, [[2, 2]], size=(64, 48), input_size=(256, 192), method="unbiased")
    assert maps.shape == (1, 64, 48, 2)
    np.testing.assert_allclose(decode_heatmaps(maps, (256, 192), "dark")[0], joints, atol=1e-3)


@settings(deadline=None)
@given(st.floats(-0.5, 255.4), st.floats(-0.5, 255.4), st.floats(0.6, 4))
def test_dark_finds_any_joint_under_any_width(x, y, sigma):
    maps = encode_heatmaps([[[x, y]]], [[2]], method="unbiased", sigma=sigma)
    assert np.abs(decode_heatmaps(maps, method="dark")[0][0, 0] - [x, y]).max() < 0.01


def test_smoothing_before_dark_tames_noise():
    joints, visibility = spread()
    maps = encode_heatmaps(joints, visibility, method="unbiased")
    maps = np.clip(maps + np.random.default_rng(3).normal(0, 0.1, maps.shape), 0, None)
    rough, smooth = (
        np.linalg.norm(decode_heatmaps(maps, method="dark", smooth=width)[0] - joints, axis=2).mean()
        for width in (0.0, 2.0)
    )
    assert smooth < 0.6 * rough


@pytest.mark.parametrize(("sigma", "smooth"), [(2, 2), (1, 1), (3, 3), (1, 2), (2, 1), (3, 2), (2, 3), (1, 0.5)])
def test_smoothing_before_dark_is_right_up_to_the_border(sigma, smooth):
    place = np.concatenate([np.arange(-0.5, 40, 0.5), np.arange(215, 255.5, 0.5)])
    ways = [(place, np.full_like(place, 128)), (place, place), (np.full_like(place, 3), place[::-1])]
    joints = np.stack([np.stack(way, axis=-1) for way in ways])
    maps = encode_heatmaps(joints, np.full(joints.shape[:2], 2), method="unbiased", sigma=sigma)
    assert np.abs(decode_heatmaps(maps, method="dark", smooth=smooth)[0] - joints).max() < 0.1


def test_smoothing_tames_noise_at_the_border_too():
    generator = np.random.default_rng(3)
    for low, high, limit in ((-0.5, 4, 1.6), (4, 8, 0.9), (8, 16, 0.6), (100, 150, 0.5)):
        joints = np.stack([generator.uniform(low, high, (40, 10)), generator.uniform(60, 190, (40, 10))], axis=-1)
        maps = encode_heatmaps(joints, np.full((40, 10), 2), method="unbiased")
        maps = np.clip(maps + generator.normal(0, 0.1, maps.shape), 0, None)
        found = decode_heatmaps(maps, method="dark", smooth=2)[0]
        assert np.linalg.norm(found - joints, axis=2).mean() < limit


def test_away_from_the_border_smoothing_is_scipys_filter():
    joints, visibility = spread(40, 215)
    maps = encode_heatmaps(joints, visibility, method="unbiased")
    maps = (maps + np.random.default_rng(3).normal(0, 0.05, maps.shape)).astype(np.float32)
    filtered = ndimage.gaussian_filter(maps, (0, 2, 2, 0))
    expected = decode_heatmaps(filtered, method="dark")[0]
    np.testing.assert_allclose(decode_heatmaps(maps, method="dark", smooth=2)[0], expected, atol=0.01)


@pytest.mark.parametrize(("method", "smooth"), [("argmax", 0), ("quarter", 0), ("dark", 0), ("dark", 2)])
@pytest.mark.parametrize("kind", ["uint8", "int8", "uint16", "int64", "float16", "float64"])
def test_maps_of_any_numbers_show_the_same_joints(method, smooth, kind):
    joints, visibility = spread(-0.5, 255.4)
    maps = encode_heatmaps(joints, visibility, method="unbiased") * np.float32(100)
    expected, heights = decode_heatmaps(maps, method=method, smooth=smooth)
    found, scores = decode_heatmaps(maps.round(1 if "f" in kind else 0).astype(kind), method=method, smooth=smooth)
    if method in ("quarter", "argmax"):  # two cells may be as high, and either is right
        assert np.median(np.abs(found - expected)) == 0 and np.abs(found - expected).max() <= 4.01
    else:
        assert np.abs(found - expected).max() < (0.6 if "int" in kind else 0.1)
    np.testing.assert_allclose(scores, heights, atol=0.6)


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_whatever_numbers_a_map_holds_the_joint_is_in_the_input_or_nowhere(data):
    kinds = arrays.array_shapes(min_dims=4, max_dims=4, max_side=9)
    kind = data.draw(st.sampled_from(["float32", "float64", "float16", "int64", "uint8"]))
    maps = data.draw(arrays.arrays(kind, kinds))
    method = data.draw(st.sampled_from(["argmax", "quarter", "dark"] if min(maps.shape[1:3]) > 2 else ["argmax"]))
    smooth = data.draw(st.floats(0, max(maps.shape[1:3]) / 4))
    joints, scores = decode_heatmaps(maps, (90, 80), method, smooth)
    known = np.isfinite(joints).all(axis=2)
    assert (known == ~np.isnan(joints).any(axis=2)).all() and np.isfinite(scores).all()
    assert ((joints[known] >= -0.5 - 90) & (joints[known] <= 180)).all()


@settings(deadline=None, max_examples=100)
@given(arrays.arrays("float64", (1, 5, 2)), st.sampled_from(["gaussian", "unbiased", "thesis"]), st.floats(1e-3, 50))
def test_whatever_a_joint_is_its_map_holds_numbers_from_zero_to_one(joints, method, sigma):
    maps = encode_heatmaps(joints, [[2, 1, 0, 2, 1]], (8, 8), (32, 32), method, sigma)
    assert (maps >= 0).all() and (maps <= 1).all()


@pytest.mark.parametrize("method", ["argmax", "quarter", "dark"])
def test_maps_without_a_peak_show_no_place(method):
    maps = np.zeros((1, 64, 64, 5), np.float32)
    maps[..., 1], maps[0, 20, 30, 2] = np.nan, 0.7
    maps[0, 9, 9, 3:] = np.inf, -np.inf
    for smooth in (0, 2):
        joints, scores = decode_heatmaps(maps, method=method, smooth=smooth)
        assert np.isnan(joints[0, [0, 1, 3, 4]]).all()
        np.testing.assert_allclose(joints[0, 2], [121.5, 81.5], atol=1e-3)
        np.testing.assert_allclose(scores, [[0, 0, 0.7, 0, 0]])


def test_refining_stays_within_a_cell_whatever_the_map():
    maps = np.random.default_rng(4).normal(size=(20, 16, 16, 5)).astype(np.float32)
    plain, dark = (decode_heatmaps(maps, (64, 64), method)[0] for method in ("argmax", "dark"))
    assert np.isfinite(dark).all() and np.abs(dark - plain).max() <= 4


def test_wrong_calls_are_told_what_is_wrong():
    joints, visibility = spread(count=17)
    for options in ({"method": "dark"}, {"sigma": 0.0}, {"method": "thesis", "resize": "cubic"}, {"size": (0, 64)}):
        with pytest.raises(MpiiError, match="encode_heatmaps"):
            encode_heatmaps(joints, visibility, **options)
    with pytest.raises(MpiiError, match=r"shape \(B, K, 2\)"):
        encode_heatmaps(joints[0], visibility[0])
    with pytest.raises(AnnotationError, match="other numbers than 0, 1 and 2"):
        encode_heatmaps(joints, visibility + 300)
    with pytest.raises(AnnotationError, match="type bool"):
        decode_heatmaps(np.zeros((1, 4, 4, 1), bool))
    with pytest.raises(AnnotationError, match="a quarter of the map"):
        decode_heatmaps(np.zeros((1, 64, 64, 1)), method="dark", smooth=17.0)
    with pytest.raises(AnnotationError, match="three cells"):
        decode_heatmaps(np.zeros((1, 2, 2, 1)), method="quarter")
    with pytest.raises(MpiiError, match="method"):
        decode_heatmaps(np.zeros((1, 4, 4, 1)), method="soft")


ORDER = COCO.flip_order


def flipped(joints, visibility):
    """Joints and flags of the mirror image, 256 pixels wide."""
    return joints[:, ORDER] * [-1, 1] + [255, 0], visibility[:, ORDER]


def test_maps_of_the_mirror_image_brought_back_are_the_maps():
    joints, visibility = spread(0, 255)
    mirrored, seen = flipped(joints, visibility)
    for method in ("unbiased", "gaussian"):
        back = flip_heatmaps(encode_heatmaps(mirrored, seen, method=method), ORDER)
        np.testing.assert_allclose(back, encode_heatmaps(joints, visibility, method=method), atol=1e-5)


def test_missing_alignment_costs_a_pixel_and_a_half_and_the_offset_mends_it():
    joints, visibility = spread(20, 235)
    mirrored, seen = flipped(joints, visibility)

    def drawn(points, marks):  # cell j lies at 4 j, as in much published code
        return encode_heatmaps(points + 1.5, marks, method="unbiased")

    def bias(offset):
        both = (drawn(joints, visibility) + flip_heatmaps(drawn(mirrored, seen), ORDER, offset)) / 2
        return (decode_heatmaps(both, method="dark")[0] - 1.5 - joints).mean(axis=(0, 1))

    assert bias(0) == pytest.approx([-1.5, 0], abs=0.05)
    assert bias(0.75) == pytest.approx([0, 0], abs=0.05)
