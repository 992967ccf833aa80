"""The command `mpii`: draw the sample, fetch the data, shrink it, look at annotations, run notebooks, build the report.

Exit status: 0 when all went well, 1 when a notebook failed or an image cannot be read, 2 for anything given wrongly,
130 after Ctrl-C. What is heavy is imported by the command that needs it, so that `mpii --help` answers at once.
"""

from __future__ import annotations

import argparse
import io
import reprlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpii_lib.errors import DatasetError, MpiiError, ReportError

if TYPE_CHECKING:
    from mpii_course.report import NotebookRun
    from mpii_lib.annotations import Annotations

Command = Callable[[argparse.Namespace], int]
_LISTED = 20  # unreadable images that are named; without its images, MPII has 24,987 of them


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # names and paths that the terminal's encoding lacks are escaped
        sys.stdout.reconfigure(errors="backslashreplace")
    given = sys.argv[1:] if arguments is None else arguments
    options = _parser().parse_args(given)
    with _signals_interrupt() as received:
        try:
            for text in given:
                text.encode()
            return int(options.command(options))
        except (Exception, KeyboardInterrupt) as error:
            # An interrupt that strikes inside a lock comes out as another error: what counts is that a signal came.
            if received or isinstance(error, KeyboardInterrupt):
                print("mpii: stopped; what was there is unchanged, and the same command goes on", file=sys.stderr)
                return 130
            return _explain(error)


def _explain(error: Exception) -> int:
    """Say in one line what went wrong, and return the exit status; an error that is a bug is raised again."""
    if isinstance(error, BrokenPipeError):  # `mpii info … | head`
        sys.stderr.close()
        return 0
    if isinstance(error, MpiiError):
        message = str(error)
    elif isinstance(error, ModuleNotFoundError):
        message = f"{error.name} is not installed; run: pip install 'mpii-notebooks[notebooks]'"
    elif isinstance(error, UnicodeEncodeError):
        message = f"{reprlib.repr(error.object)}: holds what UTF-8 cannot write; rename the file or folder"
    elif isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        message = f"{where}{error.strerror or error}; check the path, its permissions and the disk"
    else:
        raise error
    print(f"mpii: {message}", file=sys.stderr)
    return 2


@contextmanager
def _signals_interrupt() -> Iterator[list[int]]:
    """Make a closed terminal and `kill` end the command as Ctrl-C does; yields the signals that have come."""
    received: list[int] = []

    def interrupt(number: int, _: object) -> None:
        received.append(number)
        raise KeyboardInterrupt

    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():  # Python sets handlers in its main thread only
        for number in (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
            # Under nohup a signal is ignored, and stays so.
            if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
                before[number] = signal.signal(number, interrupt)
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mpii", description="Human pose and activity in notebooks: data, runs, report."
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _data_commands(commands)
    _notebook_commands(commands)
    return parser


def _data_commands(commands: Any) -> None:
    sample = _command(commands, _sample, "draw the sample data set into a folder", "data/sample --images 300")
    sample.add_argument("folder", type=Path, metavar="FOLDER", help="where images/ and the annotation files go")
    sample.add_argument("--images", type=_whole(1), default=1200, metavar="N", help="how many images (1200)")
    sample.add_argument("--test-videos", type=_whole(0), default=0, metavar="N", help="further videos to test on (0)")
    sample.add_argument("--seed", type=_whole(0), default=0, help="the same seed draws the same images (0)")
    sample.add_argument("--size", type=_size, default=(640, 480), metavar="WxH", help="in pixels (640x480)")

    fetch = _command(commands, _fetch, "download the official data; it can be broken off", "coco data/coco")
    fetch.add_argument("data", choices=["mpii", "coco"], help="which data set (MPII 13 GB; COCO val 1 GB, train 18 GB)")
    fetch.add_argument("folder", nargs="?", type=Path, metavar="FOLDER", help="where it goes (data/mpii or data/coco)")
    fetch.add_argument("--split", choices=["train", "val"], default="val", help="which images of COCO (val)")
    fetch.add_argument("--annotations-only", action="store_true", help="leave the images out")

    info = _command(commands, _info, "count what an annotation file or folder holds", "data/sample")
    info.add_argument("path", type=Path, metavar="PATH", help="MPII .mat or its folder, COCO folder or .json, .parquet")
    info.add_argument("--check", action="store_true", help="also read every image, and list those that cannot be read")

    shards = _command(commands, _shards, "resize all images once, for quicker epochs", "data/mpii small")
    shards.add_argument("path", type=Path, metavar="PATH", help="annotation file or folder; with --check, the shards")
    shards.add_argument("folder", nargs="?", type=Path, metavar="FOLDER", help="where the shards go (PATH-256x256)")
    shards.add_argument("--size", type=_size, default=(256, 256), metavar="WxH", help="of the images (256x256)")
    shards.add_argument("--jobs", "-j", type=_whole(1), metavar="N", help="threads that decode (one a core)")
    shards.add_argument("--check", action="store_true", help="compare every file of a folder with its checksum")


def _notebook_commands(commands: Any) -> None:
    run = _command(commands, _run, "run notebooks with parameters", "notebooks/21_xception.ipynb -p EPOCHS 5 -o out")
    run.add_argument("notebooks", nargs="+", type=Path, metavar="NOTEBOOK", help="one or more .ipynb files")
    run.add_argument("-o", "--folder", type=Path, default=Path("executed"), help="for the executed copies (executed)")

    report = _command(commands, _report, "run the course and build one page from it", "--backbones xception,vgg16")
    report.add_argument("--folder", type=Path, default=Path("report"), help="where index.html will be (report)")
    report.add_argument("--notebooks", type=Path, default=Path("notebooks"), help="where the notebooks are (notebooks)")
    report.add_argument("--data", choices=["sample", "mpii", "coco"], default="sample", help="which data (sample)")
    report.add_argument("--data-dir", type=Path, help="the folder of the real data")
    report.add_argument("--backbones", type=_names, default=[], help="names with commas, or all (all that are there)")
    report.add_argument("--seed", type=_whole(0), help="for every notebook (each notebook's own)")
    progress = _command(
        commands, _progress, "make one table of what students have solved", "handed_in --csv solved.csv"
    )
    progress.add_argument("folder", type=Path, metavar="FOLDER", help="holds the files that summary() writes")
    progress.add_argument("--csv", type=Path, metavar="FILE", help="also write the table there")
    for parser in (run, report):
        parser.add_argument(
            "-p", "--parameter", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"),
            help="a parameter, for the notebooks that know it; may be repeated",
        )  # fmt: skip
        parser.add_argument("-j", "--jobs", type=_whole(1), default=2, metavar="N", help="notebooks at once (2)")
        limit = "for one cell, else its notebook fails (3600 on the sample, 86400 on other data)"
        parser.add_argument("--timeout", type=_whole(1), metavar="SECONDS", help=limit)


def _command(commands: Any, function: Command, text: str, example: str) -> argparse.ArgumentParser:
    """Add the command that is called like its function."""
    name = function.__name__.strip("_")
    description, example = text[0].upper() + text[1:] + ".", f"example: mpii {name} {example}"
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=description, epilog=example)
    parser.set_defaults(command=function)
    return parser


def _whole(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdigit() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of {least} or more")
        return int(text)

    return number


def _size(text: str) -> tuple[int, int]:
    width, cross, height = text.lower().partition("x")
    if not (cross and width.isdigit() and height.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size; write WIDTHxHEIGHT, 640x480 for instance")
    return int(width), int(height)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _sample(options: argparse.Namespace) -> int:
    from mpii_course.sample import make_sample

    _refuse_file(options.folder)
    what: dict[str, Any] = {"seed": options.seed, "test_videos": options.test_videos, "size": options.size}
    annotations = make_sample(options.folder, options.images, **what, progress=True)
    print(_table(str(options.folder), _counts(annotations)))
    return 0


def _fetch(options: argparse.Namespace) -> int:
    from mpii_lib.datasets import fetch_coco, fetch_mpii

    folder = options.folder or Path("data", options.data)
    _refuse_file(folder)
    if options.data == "mpii":
        fetch_mpii(folder, images=not options.annotations_only)
    else:
        fetch_coco(folder, options.split, images=not options.annotations_only)
    print(f"{folder}: complete; in notebooks DATA = {options.data!r}, DATA_DIR = {str(folder)!r}")
    return 0


def _refuse_file(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise DatasetError(f"{folder}: is a file, not a folder; name another folder")


def _info(options: argparse.Namespace) -> int:
    broken: list[tuple[Path, str]] = []
    for name, found in _read_any(options.path):
        print(_table(name, _counts(found)))
        if options.check:
            broken += _broken_images(found)
    return _list_broken(broken)


def _list_broken(broken: Sequence[tuple[Path, str]]) -> int:
    for path, reason in broken:
        print(f"mpii: {path}: cannot be read as an image ({reason})", file=sys.stderr)
    return 1 if broken else 0


def _read_any(path: Path) -> list[tuple[str, Annotations]]:
    """Read whatever annotations a path holds; a folder of the sample holds MPII's file and COCO's."""
    from mpii_lib.annotations import AnnotationError, Annotations, read_coco, read_mpii

    if not path.exists():
        raise AnnotationError(f"{path}: is not there; check the path")
    if path.is_file():
        readers: dict[str, Callable[[Path], Annotations]] = {
            ".mat": read_mpii,
            ".parquet": Annotations.load,
            ".json": lambda p: read_coco(p, split="val" if "val" in p.name else "train"),
        }
        if path.suffix.lower() not in readers:
            raise AnnotationError(f"{path}: is no annotation file; give a .mat, .json or .parquet file, or a folder")
        return [(str(path), readers[path.suffix.lower()](path))]
    found = []
    if any(path.glob("*.mat")) or any(path.glob("*/*.mat")):
        found.append((f"{path} (MPII)", read_mpii(path)))
    for split in ("train", "val"):
        file = path / "annotations" / f"person_keypoints_{split}2017.json"
        if file.is_file():
            found.append((f"{path} (COCO {split})", read_coco(path, split=split)))  # type: ignore[arg-type]
    if not found:
        raise AnnotationError(
            f"{path}: holds no annotations; give the folder with mpii_human_pose_v1_u12_1.mat or with annotations/"
        )
    return found


def _counts(annotations: Annotations) -> list[tuple[str, str]]:
    images, people = annotations.images, annotations.people
    rows = [("images", f"{len(images):,}")]
    rows += [(f"  {split}", f"{count:,}") for split, count in images["split"].value_counts().items()]
    rows += [
        ("persons", f"{len(people):,}"),
        ("  with joints", f"{int(annotations.with_joints.sum()):,}"),
        ("joints of a person", f"{len(annotations.skeleton.joints)} ({annotations.skeleton.name})"),
    ]
    for label, column in (("categories", "category"), ("activities", "activity"), ("videos", "video_id")):
        if images[column].notna().any():
            rows.append((label, f"{images[column].nunique():,}"))
    if images["category"].notna().any():
        training = images[images["split"] == "train"]
        rows.append(("training images without a label", f"{int(training['category'].isna().sum()):,}"))
        counts = training["category"].value_counts()
        rows += [
            ("largest category", f"{counts.index[0]}, {counts.iloc[0]:,}"),
            ("smallest category", f"{counts.index[-1]}, {counts.iloc[-1]:,}"),
        ]
    folder = annotations.folder
    rows.append(("images in", str(folder) if folder and folder.is_dir() else "not there"))
    return rows


def _table(title: str, rows: Sequence[tuple[str, str]]) -> str:
    width = max(len(name) for name, _ in rows)
    return "\n".join([title, *(f"  {name:<{width}}  {value}" for name, value in rows)])


def _broken_images(annotations: Annotations) -> list[tuple[Path, str]]:
    """Read every image, as the datasets do."""
    from tqdm import tqdm

    from mpii_lib.datasets.image_files import read_image

    broken = []
    paths = map(annotations.image_path, annotations.images.index)
    for path in tqdm(paths, "images", len(annotations.images), unit="", leave=False, disable=None):
        try:
            read_image(path, (224, 224))
        except DatasetError as error:
            broken.append((path, str(error)))
    return broken


def _shards(options: argparse.Namespace) -> int:
    from mpii_lib.datasets import open_shards, write_shards

    if options.check:
        if options.folder is not None:
            raise DatasetError(f"--check takes one folder, the shards; {options.path} and {options.folder} are given")
        made = open_shards(options.path)
        damaged = made.check(progress=True)
        for line in damaged:
            print(f"mpii: {line}", file=sys.stderr)
        if not damaged:
            print(f"{options.path}: whole; {made}")
        return 1 if damaged else 0
    (_, annotations), *others = _read_any(options.path)
    if others and annotations.skeleton.name != "MPII":
        raise DatasetError(f"{options.path}: holds several annotation files; give one of them")
    width, height = options.size
    folder = options.folder or options.path.with_name(f"{options.path.stem}-{width}x{height}")
    _refuse_file(folder)
    made = write_shards(annotations, folder, size=(height, width), workers=options.jobs, progress=True)
    print(f"{folder}: {made}")
    broken = [(annotations.image_path(image), reason) for image, reason in made.unreadable.items()]
    status = _list_broken(broken[:_LISTED])
    if len(broken) > _LISTED:
        print(f"mpii: and {len(broken) - _LISTED} more, all in {folder / 'shards.json'}", file=sys.stderr)
    return status


def _run(options: argparse.Namespace) -> int:
    from mpii_course.report import run_notebooks
    from mpii_course.report.progress import RunDisplay

    progress = RunDisplay([path.stem for path in options.notebooks])
    given = dict(options.parameter)
    limits = {"jobs": options.jobs, "timeout": _timeout(options, given)}
    runs = run_notebooks(options.notebooks, given, options.folder, progress=progress, **limits)
    return _summary(runs, [str(run.output) for run in runs if run.ok])


def _report(options: argparse.Namespace) -> int:
    from mpii_course.report.course import make_report
    from mpii_course.report.progress import RunDisplay

    fetch = f"`mpii fetch {options.data}` downloads it"
    if options.data != "sample" and not options.data_dir:
        raise ReportError(f"--data {options.data} needs --data-dir FOLDER; {fetch}")
    if options.data_dir and not options.data_dir.is_dir():
        raise ReportError(f"--data-dir {options.data_dir}: there is no such folder; {fetch}")
    given: dict[str, Any] = {"DATA": options.data} if options.data != "sample" else {}
    if options.data_dir:
        given["DATA_DIR"] = str(options.data_dir.resolve())
    if options.seed is not None:
        given["SEED"] = options.seed
    given |= dict(options.parameter)
    index, runs = make_report(
        options.folder,
        notebooks=options.notebooks,
        backbones=options.backbones,
        parameters=given,
        jobs=options.jobs,
        timeout=_timeout(options, given),
        show=RunDisplay,
    )
    return _summary(runs, [f"Open {index.resolve().as_uri()}"])


def _timeout(options: argparse.Namespace, given: dict[str, Any]) -> float:
    return options.timeout or (3600.0 if given.get("DATA", "sample") == "sample" else 86_400.0)


def _progress(options: argparse.Namespace) -> int:
    from mpii_course.exercises import exercise_numbers
    from mpii_course.exercises.progress import table

    solved, damaged = table(options.folder, exercise_numbers())
    for path, reason in damaged:
        print(f"mpii: {path}: {reason}", file=sys.stderr)
    print(solved.to_string())
    if options.csv:
        solved.to_csv(options.csv)
    return 1 if damaged else 0


def _summary(runs: Sequence[NotebookRun], lines: Sequence[str]) -> int:
    failed = [run for run in runs if not run.ok]
    for run in failed:
        print(f"mpii: {run} (see {run.output})", file=sys.stderr)
    for line in lines:
        print(line)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
