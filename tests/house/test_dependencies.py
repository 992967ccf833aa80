"""Dependencies are named once, in pyproject.toml; everything else follows it."""

import json
import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT, SETUPTOOLS = SETTINGS["project"], SETTINGS["tool"]["setuptools"]
CORE = {r.name: r for r in map(Requirement, PROJECT["dependencies"])}
COLAB = json.loads((ROOT / "tests/house/colab_versions.json").read_text())
MAKEFILE = (ROOT / "Makefile").read_text()


@pytest.mark.parametrize("runtime", COLAB["runtimes"])
def test_colab_versions_lie_in_the_declared_ranges(runtime):
    versions = dict(COLAB["runtimes"][runtime])
    assert SpecifierSet(PROJECT["requires-python"]).contains(versions.pop("python"))
    outside = {n: v for n, v in versions.items() if not CORE[n].specifier.contains(v)}
    assert not outside, f"Colab has {outside}, outside pyproject's ranges"


def test_every_core_dependency_is_known_to_be_on_colab():
    recorded = set(COLAB["runtimes"]["2026-08"]) | set(COLAB["present_but_not_recorded"])
    assert set(CORE) <= recorded, "installed with --no-deps on Colab, so each core dependency has to be there already"


def test_what_would_move_colabs_own_packages_stays_out_of_the_core():
    assert not set(CORE) & {"jupyterlab", "nbclient", "nbconvert", "ipykernel", "nbval", "tensorflow-cpu"}


@pytest.mark.parametrize("package", ["mpii_lib", "mpii_course"])
def test_the_one_wheel_takes_every_file_of_both_packages(package):
    assert any(fnmatch(package, pattern) for pattern in SETUPTOOLS["packages"]["find"]["include"])
    patterns = [pattern.rsplit("/")[-1] for pattern in SETUPTOOLS["package-data"][package]]
    for path in (ROOT / package).rglob("*.*"):
        if path.suffix == ".py":
            assert (path.parent / "__init__.py").is_file(), f"{path.parent} has no __init__.py, so it is left out"
        elif path.suffix != ".pyc":
            assert any(fnmatch(path.name, pattern) for pattern in patterns), f"{path} is in no pattern of package-data"


def test_conda_environment_is_python_pip_and_the_package_itself():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    *conda, pip = environment["dependencies"]
    assert conda == [f"python{PROJECT['requires-python']}", "pip"]
    assert pip == {"pip": ["-e .[notebooks]"]}


def test_constraints_name_versions_only_and_lie_in_the_declared_ranges():
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line) for line in lines)
    pinned = dict(line.lower().split("==") for line in lines)
    extras = [r for group in PROJECT["optional-dependencies"].values() for r in map(Requirement, group)]
    for requirement in [*CORE.values(), *extras]:
        assert requirement.name.lower() in pinned, f"{requirement.name} is not pinned in constraints.txt"
        assert requirement.specifier.contains(pinned[requirement.name.lower()]), requirement


def test_no_file_names_a_package_registry():
    registries = ("pypi" + ".org/simple", "files.python" + "hosted.org", "index" + "-url")
    for path in [*ROOT.glob("*.*"), ROOT / "Makefile", *ROOT.glob(".ci/*"), *ROOT.glob("docs/**/*.md")]:
        if path.is_file():
            text = path.read_text(errors="ignore")
            assert not [r for r in registries if r in text], path


def test_readme_and_ci_use_the_makefiles_commands():
    assert "make test" in (ROOT / ".ci/run").read_text()
    for command in re.findall(r"^make (\w+)", (ROOT / "README.md").read_text(), flags=re.M):
        assert re.search(rf"^{command}:", MAKEFILE, flags=re.M), f"README names `make {command}`, the Makefile does not"
