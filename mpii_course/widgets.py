"""Sliders for the notebooks: move one, and the figure moves.

Where nobody can move one, because the environment variable MPII_STATIC is set (`mpii run`, `mpii report`, the tests and
`make notebooks` set it), the figure stands at a few settings side by side.
"""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ipywidgets
import matplotlib as mpl
import numpy as np
from PIL import Image
from traitlets import TraitError

from mpii_lib import plots
from mpii_lib.arguments import checked
from mpii_lib.errors import MpiiError, one_line

_WIDE = 2000  # pixels; what is wider is made so small in a page that its words cannot be read


@checked
def slider(label: str, low: float, high: float, value: float, step: float | None = None, *, log: bool = False) -> Any:
    """A slider for a number: whole numbers when `low`, `high` and `value` are int, powers of ten when `log`.

    Parameters
    ----------
    label
        What is varied, as the figure calls it.
    low, high, value
        The range and where it starts, in the quantity's own unit (also when `log`).
    step
        Step of the slider; for `log`, the step of the exponent. None takes 1 for whole numbers, else a hundredth of the
        range.
    """
    if low > high or (step is not None and step <= 0) or (log and low <= 0):
        raise MpiiError(f"slider {label!r}: from {low} to {high} by {step}; give a rising range, above 0 if log")
    style: dict[str, Any] = {
        "description": label,
        "style": {"description_width": "initial"},
        "layout": {"width": "24em"},
    }
    if log:
        return ipywidgets.FloatLogSlider(
            value=value,
            base=10,
            min=np.log10(low),
            max=np.log10(high),
            step=step or 0.05,
            readout_format=".3g",
            **style,
        )
    if all(isinstance(number, int) for number in (low, high, value)):
        return ipywidgets.IntSlider(value=value, min=low, max=high, step=int(step or 1), **style)
    return ipywidgets.FloatSlider(value=value, min=low, max=high, step=step or (high - low) / 100, **style)


@checked
def choice(label: str, options: Sequence[Any], value: Any = None) -> Any:
    """A menu of named options; the first is chosen unless `value` says otherwise."""
    style = {"description_width": "initial"}
    try:
        chosen = options[0] if value is None else value
        return ipywidgets.Dropdown(options=options, value=chosen, description=label, style=style)
    except (LookupError, TraitError, ValueError) as error:
        raise MpiiError(f"choice {label!r}: {one_line(error)}; give a list of options, and one of them") from None


@checked
def explore(draw: Callable[..., None], **controls: Any) -> None:
    """Show controls with the figure that `draw` makes from them, drawn anew whenever one is moved.

    Where the environment variable MPII_STATIC is set, the figure is shown at three or four settings instead.

    Parameters
    ----------
    draw
        Called with one keyword argument for each control; shows its figure itself (`plots.show`). It has to take
        less than 0.2 s, or moving the slider is no pleasure.
    **controls
        Widgets by the name of draw's argument (`slider` or `choice`).
    """
    if os.environ.get("MPII_STATIC"):
        return _show_strip(draw, controls)
    from IPython.display import display

    figure = ipywidgets.interactive_output(draw, controls)
    row = ipywidgets.HBox(list(controls.values()), layout={"flex_flow": "row wrap"})
    display(ipywidgets.VBox([row, figure]))


def _at(control: Any, share: float) -> Any:
    """A control's value at a share of its range."""
    if isinstance(control, ipywidgets.Dropdown):
        return control.options[round(share * (len(control.options) - 1))]
    value = control.min + share * (control.max - control.min)
    if isinstance(control, ipywidgets.FloatLogSlider):
        return control.base**value
    return round(value) if isinstance(control, ipywidgets.IntSlider) else value


def _settings(controls: dict[str, Any]) -> list[dict[str, Any]]:
    """Where the controls start, with the first at its ends, and the second at its upper end or the first near it."""
    first, second = [*controls, *controls][:2]
    far = {second: _at(controls[second], 0.75 if first == second else 1)}
    changes = [{first: _at(controls[first], 0)}, {}, far, {first: _at(controls[first], 1)}]
    return [{name: control.value for name, control in controls.items()} | change for change in changes]


def _show_strip(draw: Callable[..., None], controls: dict[str, Any]) -> None:
    """Show the figure at a few settings side by side, as one image with alternative text."""
    from IPython.utils.capture import capture_output

    panels = {}
    for setting in _settings(controls):
        with capture_output(stdout=False, stderr=False) as captured:
            draw(**setting)
        varied = [(controls[name].description, setting[name]) for name in [*controls][:2]]
        title = ", ".join(f"{label} {f'{value:.3g}' if isinstance(value, float) else value}" for label, value in varied)
        panels[title] = captured.outputs[-1].data
    images = [Image.open(io.BytesIO(base64.b64decode(data["image/png"]))).convert("RGB") for data in panels.values()]
    width = max(image.width for image in images)
    columns = next(n for n in (3, 2, 1) if n == 1 or (n * width <= _WIDE and len(images) % n == 0))
    with mpl.rc_context({"image.interpolation": "auto"}):  # the style's "nearest" would break letters
        figure = plots.image_grid([*map(np.asarray, images)], [*panels], columns=columns, size=width / 100)
    plots.show(figure, alt=" ".join(f"{title}: {data['text/plain']}" for title, data in panels.items()))


@checked
def webcam_image(path: str | Path = "webcam.jpg") -> Path:
    """Take a picture with the webcam of the browser, on Colab, and return the file it is written to.

    The browser asks for permission; the picture is taken when the button below the preview is pressed. Raises
    `MpiiError` elsewhere than on Colab, and when there is no camera or no permission.
    """
    try:
        from google.colab.output import eval_js
    except ImportError:
        raise MpiiError("webcam_image: only Colab reaches the webcam from a notebook; give a file instead") from None
    try:
        answer = str(eval_js(Path(__file__).with_name("webcam.js").read_text(encoding="utf-8")))
        header, _, data = answer.partition(",")
        if "image/jpeg" not in header:
            raise ValueError(answer[:80] or "no picture")
        path = Path(path)
        path.write_bytes(base64.b64decode(data, validate=True))
    except Exception as error:  # the browser's refusals arrive as whatever Colab makes of them
        reason = " ".join(str(error).split()) or type(error).__name__
        raise MpiiError(f"webcam_image: no image ({reason}); allow the camera, or give a file instead") from None
    return path
