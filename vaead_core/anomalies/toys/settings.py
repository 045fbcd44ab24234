"""A toy's fields as a reader sets them: what a page or a command line offers for a kind that it does not know."""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import ceil
from typing import Any, Literal, get_args, get_origin, get_type_hints

from vaead_core.errors import InputError

LONGEST = 4  # times its default: the largest length that is offered


@dataclass(frozen=True)
class Setting:
    """One field. low, high, step: of its number, or of each of its numbers when `several`. choices: instead of numbers."""

    name: str
    default: Any
    low: float
    high: float
    step: float
    several: bool = False
    choices: tuple[Any, ...] = ()

    @property
    def label(self) -> str:
        """For example "Radius, mm"."""
        unit = next((unit for end, unit in (("_mm", ", mm"), ("_percent", ", %")) if self.name.endswith(end)), "")
        return self.name.removesuffix("_mm").removesuffix("_percent").replace("_", " ").capitalize() + unit

    def within(self, number: float) -> float:
        """The nearest number that is offered; of two as near the even one."""
        return float(min(self.high, max(self.low, round(number / self.step) * self.step)))

    def numbers(self, text: str) -> tuple[float, ...]:
        """Several numbers from "10, 15". Raises InputError."""
        try:
            found = tuple(float(part) for part in text.split(","))
        except ValueError:
            found = ()
        if not found or not all(self.low <= number <= self.high for number in found):
            raise InputError(
                f"{self.label} takes numbers from {self.low:g} to {self.high:g} with commas between them, "
                f'such as "{self.text(self.default)}"; found "{text}".'
            )
        return found

    @staticmethod
    def text(numbers: tuple[float, ...]) -> str:
        """What `numbers` reads: "10, 15"."""
        return ", ".join(f"{number:g}" for number in numbers)


def settings_of(kind: type, spacing_mm: float = 0.0) -> tuple[Setting, ...]:
    """The fields of a toy's dataclass, in its order.

    A field in mm reaches from one voxel of `spacing_mm` to LONGEST times its default, another number from -1 to 1; `low` and
    `high` of its metadata say otherwise. A Literal or a bool is a choice.
    """
    hints = get_type_hints(kind)
    return tuple(_setting(field.name, field.default, hints[field.name], field.metadata, spacing_mm) for field in fields(kind))


def size_of(kind: type, spacing_mm: float = 0.0) -> Setting:
    """The one among them that says how large the toy is in a slice: the first in mm that is not its length."""
    in_mm = [one for one in settings_of(kind, spacing_mm) if one.name.endswith("_mm")]
    return next((one for one in in_mm if one.name != "length_mm"), in_mm[0])


def _setting(name: str, default: Any, hint: Any, limits: Any, spacing_mm: float) -> Setting:
    if hint is bool or get_origin(hint) is Literal:
        return Setting(name, default, 0, 0, 0, choices=(False, True) if hint is bool else get_args(hint))
    several = isinstance(default, tuple)
    in_mm = name.endswith("_mm")
    low = limits.get("low", float(ceil(spacing_mm)) if in_mm else -1.0)
    high = limits.get("high", float(LONGEST * max(default if several else (default,))) if in_mm else 1.0)
    return Setting(name, default, low, high, 1.0 if in_mm else 0.05, several)
