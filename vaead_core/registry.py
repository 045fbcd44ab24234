"""Methods by name: a new file with a registered class is found, and nothing else needs an edit."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import MISSING, fields
from difflib import get_close_matches
from typing import Any, ClassVar, Generic, TypeVar, get_args, get_origin, get_type_hints

from vaead_core.errors import InputError

Method = TypeVar("Method")
Kind = TypeVar("Kind", bound=type)


class Registry(dict[str, type[Method]], Generic[Method]):
    """Classes of one kind of method by name.

    noun: what a message calls one of them. check: raises ValueError or TypeError for a class that breaks their contract.
    """

    def __init__(self, noun: str, check: Callable[[type], None]) -> None:
        super().__init__()
        self.noun, self._check = noun, check

    def register(self, name: str) -> Callable[[Kind], Kind]:
        """Class decorator: makes the class known under `name`, which must be free, once it is checked."""

        def enter(kind: Kind) -> Kind:
            if name in self:
                raise ValueError(f"{kind.__name__}: {self[name].__name__} is the {self.noun} {name} already; take another name.")
            self._check(kind)
            self[name] = kind
            return kind

        return enter

    def discover(self, package: str, folders: Iterable[str]) -> None:
        """Imports every module of a package (its `__name__` and `__path__`), so that each registers its classes."""
        for module in pkgutil.iter_modules(folders):
            importlib.import_module(f"{package}.{module.name}")

    def build(self, name: str, **settings: Any) -> Method:
        """One of them with its settings. Raises InputError for an unknown name."""
        if name not in self:
            raise InputError(f"There is no {self.noun} {name}; choose among {', '.join(sorted(self))}.")
        return self[name](**settings)

    def settings(self, name: str) -> tuple[str, ...]:
        """What `build` takes for it."""
        return tuple(field.name for field in fields(self[name]))  # type: ignore[arg-type]

    def help_text(self, name: str) -> str:
        """The first paragraph of its docstring: what it does, in a sentence or two, with its source."""
        text = inspect.getdoc(self[name]) or ""
        return " ".join(text.split("\n\n")[0].split())


def check_contract(kind: type, contract: type) -> None:
    """Raises TypeError, which names class and culprit, unless `kind` is a frozen dataclass that keeps `contract`.

    contract: an abstract base class. What it declares without a value must be there; what a class declares in public must be a
    setting with a default or known to the contract, so that a misspelt name never passes for a default.
    """
    name = kind.__name__
    if not issubclass(kind, contract):
        raise TypeError(f"{name} is no {contract.__name__}; write class {name}({contract.__name__}).")
    made = vars(kind).get("__dataclass_params__")
    if made is None or not made.frozen:
        raise TypeError(f"{name} is no frozen dataclass; write @dataclass(frozen=True) above it.")
    declared = {public for base in contract.__mro__ for public in _public(base)}
    constants = {n: get_args(hint) for n, hint in get_type_hints(contract).items() if get_origin(hint) is ClassVar}
    settings = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    for own in (public for base in kind.__mro__ if base not in contract.__mro__ for public in _public(base)):
        if own not in declared | settings:
            raise TypeError(f"{name} has {own}, which no {contract.__name__} has{_meant(own, declared)}.")
    for field in fields(kind):  # type: ignore[arg-type]
        if field.name in constants or get_close_matches(field.name, constants, cutoff=0.8):
            raise TypeError(f"{name} makes {field.name} a setting{_meant(field.name, constants)}; annotate it as ClassVar.")
        if field.default is MISSING and field.default_factory is MISSING:
            raise TypeError(f"{name} has the setting {field.name} without a default.")
    for missing in sorted(getattr(kind, "__abstractmethods__", ())):
        raise TypeError(f"{name} lacks {missing}, which every {contract.__name__} has.")
    for constant, (expected,) in constants.items():
        if not hasattr(kind, constant):
            raise TypeError(f"{name} lacks {constant}, which every {contract.__name__} has.")
        if isinstance(expected, type) and not isinstance(getattr(kind, constant), expected):
            raise TypeError(f"{name} has {constant} = {getattr(kind, constant)!r}; it must be a {expected.__name__}.")


def _public(base: type) -> list[str]:
    return [name for name in (*vars(base), *inspect.get_annotations(base)) if not name.startswith("_")]


def _meant(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f" (is {near[0]} meant?)" if near and near[0] != name else ""
