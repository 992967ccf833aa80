"""Names of a package that are looked up on first use, so that importing it stays light (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def attach(package: str, names: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Give a package its `__getattr__`, `__dir__` and `__all__`: `names` lists for each of its modules what it has.

    No module is called like one of the names: importing it would hide the name behind the module.
    """
    home = {name: module for module, listed in names.items() for name in listed.split()}

    def lookup(name: str) -> Any:
        if name not in home:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{home[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    return lookup, lambda: sorted({*vars(sys.modules[package]), *home}), sorted(home)
