"""Progress: seen where a person looks on, and nothing of it in what is saved."""

import io
import sys

import nbformat
import pytest
from jupyter_client.manager import start_new_kernel
from nbclient import NotebookClient

from mpii_lib.training import progress

CODE = """
from mpii_lib.training.progress import progress_line
print("before")
with progress_line() as show:
    for step in range(5):
        show(f"epoch {step}", step / 5)
        import time; time.sleep(0.1)
"""


class Terminal(io.StringIO):
    def __init__(self, live):
        super().__init__()
        self.live = live

    def isatty(self):
        return self.live


def shown(monkeypatch, live, **settings):
    terminal = Terminal(live)
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN", 0)
    with progress.progress_line(**settings) as show:
        for step in range(3):
            show(f"epoch {step}", step / 2)
    return terminal.getvalue()


def test_a_terminal_shows_one_line_and_clears_it(monkeypatch):
    text = shown(monkeypatch, live=True)
    assert "epoch 0" in text and "epoch 2" in text and "100%" in text and "\n" not in text
    assert text.rsplit("\r", 2)[-2].strip() == "" and text.endswith("\r")


@pytest.mark.parametrize("settings", [{"live": False}, {"live": True, "wanted": False}])
def test_a_file_and_who_does_not_want_it_get_nothing(monkeypatch, settings):
    assert shown(monkeypatch, **settings) == ""


def test_the_line_is_not_drawn_more_often_than_the_eye_can_follow(monkeypatch):
    terminal = Terminal(True)
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress.progress_line() as show:
        for step in range(2000):
            show(f"step {step}", step / 2000)
    assert terminal.getvalue().count("step") < 20


def test_an_automatic_run_of_a_notebook_keeps_nothing():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CODE)])
    NotebookClient(notebook, kernel_name="python3", timeout=120).execute()
    (output,) = notebook.cells[0].outputs
    assert output["text"] == "before\n"


def test_a_person_in_a_notebook_sees_one_output_which_ends_empty():
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        message = client.session.msg("execute_request", {"code": CODE, "silent": False, "store_history": False})
        message["metadata"] = {"cellId": "a-cell"}  # as JupyterLab and VS Code send it
        client.shell_channel.send(message)
        seen, kinds = [], []
        while True:
            reply = client.get_iopub_msg(timeout=120)
            if reply["msg_type"] in ("display_data", "update_display_data"):
                kinds.append(reply["msg_type"])
                seen.append(reply["content"]["data"]["text/plain"])
            elif reply["msg_type"] == "status" and reply["content"]["execution_state"] == "idle":
                break
            assert reply["msg_type"] != "error", reply["content"]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert kinds[0] == "display_data" and set(kinds[1:]) == {"update_display_data"}
    assert seen[-1] == "" and any("epoch" in text for text in seen)
