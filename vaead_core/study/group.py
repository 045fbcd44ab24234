"""A study in one table, a row a scan, from the records alone: group.tsv, and group.json, which says what its columns are.

group.html shows the same (`group_page`)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from vaead_core import scorers
from vaead_core.scans.image_quality import MEASURES, distance
from vaead_core.study.dataset import Study, StudyScan

UNKNOWN = "n/a"  # as BIDS has it
STATES = {"scored": "it has maps", "failed": "it has none, and a sentence says why", "missing": "participant has not come to it"}
_COLUMNS: dict[str, tuple[str, str]] = {  # what each is, and its unit
    "scan": ("Name of the scan's file without its suffix.", ""),
    "participant_id": ("As in participants.tsv.", ""),
    "session_id": ("Of the scan, without ses-.", ""),
    "run": ("Of the scan, without run-.", ""),
    "state": ("; ".join(f"{name}: {what}" for name, what in STATES.items()) + ".", ""),
    "sentence": ("Why the scan has no maps.", ""),
    "same_as": ("The first scan of the table whose file holds the same bytes.", ""),
    "made_by": ("Digest of checkpoint, options and code: rows that differ in it are not to be compared.", ""),
    "brain_found_by": (
        "background: the scan came without what lies outside the brain; mask: derivatives; networks: extracted.",
        "",
    ),
    "brain_volume": ("Volume of the brain, with cavities that it encloses.", "mL"),
    "registration_similarity": ("Correlation with the atlas's T1, each less its local mean; low where the scan lies badly.", ""),
    "mask_dice": ("Dice coefficient of the brain's mask, laid on the atlas, and the atlas's own.", ""),
    "covered_share": ("Of the atlas's brain, how much the scan's covers.", ""),
    "rotation": ("By how much the head is turned in the header's axes.", "degree"),
    **{name: (f"Image quality: {what}.", "") for name, what in MEASURES.items() if name != "similarity"},
    "distance": ("How far the farthest figure of image quality lies outside of the healthy scans' range, in widths of that.", ""),
    "cautions": ("What is to be said beside the scan's maps: what it lacks, and in what it is unlike healthy scans.", ""),
}
OF_A_METHOD: dict[str, tuple[str, str]] = {
    "score": ("Scan-level score, the default aggregate.", ""),
    "percentile": ("Its percentile among healthy scans.", "%"),
    "volume": ("Volume above the map's threshold.", "mL"),
    "largest_cluster": ("Volume of the largest connected part of that.", "mL"),
}
_PAINTED = "lesions painted into the scan, 20 % darker than the tissue they lie in"
OF_LIMITS: dict[str, tuple[str, str]] = {  # of a method, in a study whose scans' detection limits were measured
    "sensitivity": (f"Share found of {_PAINTED}, of 0.05 to 10 mL.", ""),
    "size_50": (f"Volume from which 50 % are found of {_PAINTED}; n/a where it lies beyond those that were painted.", "mL"),
    "size_80": (f"Volume from which 80 % are found of {_PAINTED}; n/a where it lies beyond those that were painted.", "mL"),
}


@dataclass(frozen=True)
class GroupTable:
    """columns: name → what it is, as group.json has it. rows: one a scan, by columns.

    methods: whose columns there are. theirs: the columns of participants.tsv.
    """

    columns: dict[str, dict[str, str]]
    rows: list[dict[str, str]]
    methods: tuple[str, ...] = ()
    theirs: tuple[str, ...] = ()

    @property
    def tsv(self) -> str:
        """Tab-separated, its header first."""
        lines = ["\t".join(self.columns), *("\t".join(row.get(name, UNKNOWN) for name in self.columns) for row in self.rows)]
        return "\n".join(lines) + "\n"

    def summary(self) -> Iterator[str]:
        """Plain sentences."""
        counts = {state: sum(row["state"] == state for row in self.rows) for state in STATES}
        yield f"{len(self.rows)} scans: {', '.join(f'{count} {state}' for state, count in counts.items())}."
        yield from self.remarks()

    def remarks(self) -> Iterator[str]:
        """What is to be done about the table."""
        if any(row["state"] == "missing" for row in self.rows):
            yield "Run participant for those that are missing."
        if len({row["made_by"] for row in self.rows} - {UNKNOWN}) > 1:
            yield "These scans were not all made alike (made_by); run participant on all of them with the same options."


def group_table(study: Study, records: Sequence[dict[str, Any] | None]) -> GroupTable:
    """records: of its scans; None for one that participant has not come to."""
    methods = sorted({name for record in records if record for name in record.get("scorers", {})})
    limited = {name for record in records if record for name in record.get("detection_limits", {})}
    columns = {name: _told(_words(name), *what) for name, what in _COLUMNS.items()} | {
        column(method, name): _told(f"{title_of(method)}: {_words(name).lower()}", f"{method}: {what}", unit)
        for method in methods
        for name, (what, unit) in (OF_A_METHOD | (OF_LIMITS if method in limited else {})).items()
    }
    theirs = [name for name in next(iter(study.people.values()), {}) if name and name != "participant_id"]
    named = {name: f"participants_{name}" if name in columns else name for name in theirs}
    columns |= {column: _told(name, "As in participants.tsv.", "") for name, column in named.items()}
    rows: list[dict[str, str]] = []
    first: dict[str, str] = {}
    for scan, record in zip(study.scans, records, strict=True):
        row = _row(scan, record)
        if content := record and record["made_of"] and record["made_of"]["scan"]:
            row |= {"same_as": one} if (one := first.setdefault(content, row["scan"])) != row["scan"] else {}
        person = study.people.get(scan.participant, {})
        row |= {mine: _plain(person.get(name) or UNKNOWN) for name, mine in named.items()}
        rows.append(row)
    return GroupTable(columns, rows, tuple(methods), tuple(named.values()))


def title_of(method: str) -> str:
    """Its name on screen; of a method that this version does not know, the one in the record."""
    return scorers.SCORERS[method].title if method in scorers.SCORERS else method


def column(method: str, name: str) -> str:
    """That of OF_A_METHOD for one method.

    >>> column("residual", "score")
    'residual_score'
    """
    return f"{method}_{name}"


def has_map(row: dict[str, str], method: str) -> bool:
    """Whether a method made a map of the scan of a row."""
    return row.get(column(method, "volume"), UNKNOWN) != UNKNOWN


def _row(scan: StudyScan, record: dict[str, Any] | None) -> dict[str, str]:
    state = "missing" if record is None else "scored" if record["sentence"] is None else "failed"
    row: dict[str, Any] = {
        "scan": scan.name.scan,
        "participant_id": scan.participant,
        "session_id": scan.name.label("ses"),
        "run": scan.name.label("run"),
        "state": state,
        "sentence": record and record["sentence"],
        "made_by": record and _made_by(record["made_of"]),
    }
    if record and state == "scored":
        laid, quality = record["registration"], record["image_quality"]
        row |= {
            "brain_found_by": record["brain_found_by"],
            "brain_volume": record["brain_volume_ml"],
            "registration_similarity": laid["similarity"],
            "mask_dice": laid["dice"],
            "covered_share": laid["covered_share"],
            "rotation": laid["rotation_degrees"],
            **{name: quality[name] for name in MEASURES if name != "similarity"},
            "distance": round(distance(quality, known), 3) if (known := record["image_quality_of_healthy_scans"]) else None,
            "cautions": " ".join(record["warnings"]) or None,
        }
        for method, one in record["scorers"].items():
            default, found = record["aggregates"]["default"], record["found"].get(method, {})
            row |= {
                column(method, "score"): one["scan"][default],
                column(method, "percentile"): round(one["scan_percentile"][default], 2),
                column(method, "volume"): found.get("volume_ml"),
                column(method, "largest_cluster"): found.get("largest_cluster_ml"),
            }
        for method, one in record.get("detection_limits", {}).items():
            row |= {
                column(method, "sensitivity"): one["found"] / one["painted"] if one["painted"] else None,
                column(method, "size_50"): one["size_found_ml"]["0.5"],
                column(method, "size_80"): one["size_found_ml"]["0.8"],
            }
    return {name: UNKNOWN if value is None else _plain(value) for name, value in row.items()}


def _made_by(made_of: dict[str, Any] | None) -> str | None:
    if not made_of:
        return None
    shared = {name: value for name, value in made_of.items() if name not in ("scan", "mask")}
    return hashlib.sha256(json.dumps(shared, sort_keys=True).encode()).hexdigest()[:12]


def _words(column: str) -> str:
    return column.replace("_", " ").capitalize().replace("dice", "Dice")


def _told(title: str, description: str, unit: str) -> dict[str, str]:
    return {"LongName": title, "Description": description} | ({"Units": unit} if unit else {})


def _plain(value: Any) -> str:
    """A number in six digits, a text without what would end a column or a row."""
    return f"{value:.6g}" if isinstance(value, float) else " ".join(str(value).split())
