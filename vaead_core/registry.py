"""Methods by name: a new file with a registered class is found, and nothing else needs an edit."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable
from typing import Any

from vaead_core.errors import InputError


class Registry(dict[str, Any]):
    """Classes of one kind of method by name. noun: what a message calls one of them."""

    def __init__(self, noun: str) -> None:
        super().__init__()
        self.noun = noun

    def register(self, name: str) -> Callable[[type], type]:
        """Class decorator: makes the class known under `name`."""

        def enter(kind: type) -> type:
            self[name] = kind
            return kind

        return enter

    def discover(self, package: str, folders: Iterable[str]) -> None:
        """Imports every module of a package (its `__name__` and `__path__`), so that each registers its classes."""
        for module in pkgutil.iter_modules(folders):
            importlib.import_module(f"{package}.{module.name}")

    def build(self, name: str, **settings: Any) -> Any:
        """One of them with its settings. Raises InputError for an unknown name."""
        if name not in self:
            raise InputError(f"There is no {self.noun} {name}; choose among {', '.join(sorted(self))}.")
        return self[name](**settings)

    def help_text(self, name: str) -> str:
        """The first paragraph of its docstring: what it does, in a sentence or two, with its source."""
        text = inspect.getdoc(self[name]) or ""
        return " ".join(text.split("\n\n")[0].split())
