"""Sliders for the notebooks: move one, and the figure moves.

A widget does nothing in a static page, so every notebook shows a static figure with the same point beside it.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ipywidgets

from mpii_lib.errors import MpiiError


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
    style: dict[str, Any] = {
        "description": label,
        "style": {"description_width": "initial"},
        "layout": {"width": "24em"},
    }
    if log:
        from math import log10

        return ipywidgets.FloatLogSlider(
            value=value, base=10, min=log10(low), max=log10(high), step=step or 0.05, readout_format=".3g", **style
        )
    if all(isinstance(number, int) for number in (low, high, value)):
        return ipywidgets.IntSlider(value=value, min=low, max=high, step=int(step or 1), **style)
    return ipywidgets.FloatSlider(value=value, min=low, max=high, step=step or (high - low) / 100, **style)


def choice(label: str, options: Sequence[Any], value: Any = None) -> Any:
    """A menu of named options; the first is chosen unless `value` says otherwise."""
    return ipywidgets.Dropdown(
        options=options,
        value=options[0] if value is None else value,
        description=label,
        style={"description_width": "initial"},
    )


def explore(draw: Callable[..., None], **controls: Any) -> None:
    """Show controls with the figure that `draw` makes from them, drawn anew whenever one is moved.

    Parameters
    ----------
    draw
        Called with one keyword argument for each control; shows its figure itself (`plots.show`). It has to take
        less than 0.2 s, or moving the slider is no pleasure.
    **controls
        Widgets by the name of draw's argument (`slider`, `choice`, or any of ipywidgets).
    """
    from IPython.display import display

    figure = ipywidgets.interactive_output(draw, controls)
    row = ipywidgets.HBox(list(controls.values()), layout={"flex_flow": "row wrap"})
    display(ipywidgets.VBox([row, figure]))


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
        answer = str(eval_js(_WEBCAM))
        header, _, data = answer.partition(",")
        if "image/jpeg" not in header:
            raise ValueError(answer[:80] or "no picture")
        path = Path(path)
        path.write_bytes(base64.b64decode(data, validate=True))
    except Exception as error:  # the browser's refusals arrive as whatever Colab makes of them
        reason = " ".join(str(error).split()) or type(error).__name__
        raise MpiiError(f"webcam_image: no image ({reason}); allow the camera, or give a file instead") from None
    return path


# Shows the camera with a button under it, and answers with the picture as a data address.
_WEBCAM = """
(async () => {
  const stream = await navigator.mediaDevices.getUserMedia({video: true});
  const place = document.createElement("div");
  const preview = document.createElement("video");
  const button = document.createElement("button");
  button.textContent = "Take the picture";
  place.append(preview, document.createElement("br"), button);
  document.body.appendChild(place);
  preview.srcObject = stream;
  await preview.play();
  google.colab.output.setIframeHeight(document.documentElement.scrollHeight, true);
  await new Promise((pressed) => { button.onclick = pressed; });
  const canvas = document.createElement("canvas");
  canvas.width = preview.videoWidth;
  canvas.height = preview.videoHeight;
  canvas.getContext("2d").drawImage(preview, 0, 0);
  stream.getTracks().forEach((track) => track.stop());
  place.remove();
  return canvas.toDataURL("image/jpeg", 0.9);
})()
"""
