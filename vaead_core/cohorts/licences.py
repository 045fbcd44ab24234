"""Under which licence a cohort is, and hence what was trained on it, where its name tells; THIRD_PARTY.md has the same."""

from __future__ import annotations

from dataclasses import dataclass

UNKNOWN = "unknown"


@dataclass(frozen=True)
class Licence:
    """spdx: its identifier. source: where the data comes from."""

    spdx: str
    source: str


LICENCES = {
    "ixi": Licence("CC-BY-SA-3.0", "https://brain-development.org/ixi-dataset/"),
    "ds002748": Licence("CC0-1.0", "https://openneuro.org/datasets/ds002748"),
    "synthetic": Licence("CC-BY-SA-3.0", "SRI24, doi 10.1002/hbm.20906"),
    "fashion": Licence("MIT", "https://github.com/zalandoresearch/fashion-mnist"),
}


def licence_of(cohort: str) -> Licence:
    """That of a cohort's name, such as synthetic:40.

    >>> licence_of("synthetic:40").spdx, licence_of("mine").spdx
    ('CC-BY-SA-3.0', 'unknown')
    """
    return LICENCES.get(cohort.partition(":")[0], Licence(UNKNOWN, f"the cohort {cohort}"))
