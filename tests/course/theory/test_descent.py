import matplotlib.pyplot as plt
import numpy as np
import pytest

from mpii_course.theory.descent import (
    SURFACES,
    draw_path,
    draw_surface,
    minibatches,
    numerical_gradient,
    walks_apart,
    walks_together,
)


@pytest.mark.parametrize("surface", SURFACES.values(), ids=SURFACES)
def test_the_gradient_of_a_surface_is_its_slope(surface):
    points = np.random.default_rng(0).uniform(surface.box[::2], surface.box[1::2], size=(20, 2))
    for point, gradient in zip(points, surface.gradient(points), strict=True):
        assert gradient == pytest.approx(numerical_gradient(surface.value, point), abs=1e-6)


@pytest.mark.parametrize("surface", SURFACES.values(), ids=SURFACES)
def test_the_minimum_of_a_surface_is_flat_and_no_point_of_its_box_is_lower(surface):
    minimum = np.array(surface.minimum)
    assert surface.gradient(minimum) == pytest.approx([0, 0], abs=1e-12)
    points = np.random.default_rng(1).uniform(surface.box[::2], surface.box[1::2], size=(500, 2))
    assert (surface.value(points) >= surface.value(minimum)).all()


@pytest.mark.parametrize("surface", SURFACES.values(), ids=SURFACES)
def test_the_start_lies_in_the_box_and_above_the_minimum(surface):
    left, right, bottom, top = surface.box
    assert left < surface.start[0] < right and bottom < surface.start[1] < top
    assert surface.value(np.array(surface.start)) > surface.value(np.array(surface.minimum))


def test_the_tilted_ravine_is_the_ravine_turned():
    wanted = [1, 20]
    for name in ("ravine along an axis", "tilted ravine"):
        hessian = SURFACES[name].gradient(np.eye(2))
        assert np.linalg.eigvalsh(hessian) == pytest.approx(wanted)


def test_numerical_gradient_keeps_the_shape_and_leaves_the_point_alone():
    point = np.arange(6.0).reshape(2, 3)
    gradient = numerical_gradient(lambda x: (x**2).sum(), point)
    assert gradient == pytest.approx(2 * point, abs=1e-6)
    assert (point == np.arange(6.0).reshape(2, 3)).all()


def test_numerical_gradient_of_a_loss_that_reads_the_array_itself():
    weights = np.array([1.0, 2.0])
    assert numerical_gradient(lambda _: (weights**2).sum(), weights) == pytest.approx([2, 4], abs=1e-6)


@pytest.mark.parametrize(("count", "size"), [(10, 1), (10, 3), (10, 10), (10, 64)])
def test_minibatches_show_each_observation_once_an_epoch(count, size):
    batches = list(minibatches(count, size, np.random.default_rng(0)))
    assert sorted(np.concatenate(batches)) == list(range(count))
    assert len(batches) == -(-count // size)
    assert all(len(batch) == min(size, count) for batch in batches[:-1])


def test_minibatches_come_in_another_order_every_epoch():
    rng = np.random.default_rng(0)
    first, second = (np.concatenate(list(minibatches(100, 10, rng))) for _ in range(2))
    assert (first != second).any()


def test_an_empty_minibatch_is_refused():
    with pytest.raises(ValueError, match="1 or more"):
        next(minibatches(10, 0, np.random.default_rng(0)))


def test_a_walk_that_diverges_is_drawn_up_to_where_numbers_end():
    surface = SURFACES["round bowl"]
    figure, axes = plt.subplots()
    draw_surface(axes, surface)
    draw_path(axes, [[0, 0], [1e300, 0], [np.inf, 0], [np.nan, np.nan]])
    figure.canvas.draw()
    assert axes.get_xlim() == surface.box[:2]
    assert max(len(line.get_xdata()) for line in axes.lines) == 2
    plt.close(figure)


def test_walks_apart_have_a_map_each_and_walks_together_share_one():
    surface, path = SURFACES["banana"], np.array([[0.0, 0.0], [0.5, 0.5], [np.nan, np.nan]])
    apart = walks_apart(surface, {"one": path, "two": path, "three": path}, columns=3)
    assert [axes.get_title(loc="left") or axes.get_title() for axes in apart.axes] == ["one", "two", "three"]
    together = walks_together(surface, {"one": path[:2], "two": path[:2]}, title="found")
    map_axes, heights = together.axes
    assert [text.get_text() for text in heights.get_legend().get_texts()] == ["one", "two"]
    assert heights.lines[0].get_ydata() == pytest.approx(surface.value(path[:2]))
    plt.close("all")
