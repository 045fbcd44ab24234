"""participants.tsv, the table of a dataset's people."""

from __future__ import annotations

import csv
from pathlib import Path

from vaead_core.errors import CohortError


def participants(table: Path) -> dict[str, dict[str, str]]:
    """Its rows by participant_id; {} where there is no such file. Raises CohortError for one that is no such table."""
    if not table.is_file():
        return {}
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            return {row["participant_id"]: row for row in csv.DictReader(file, delimiter="\t") if row["participant_id"]}
    except (KeyError, UnicodeDecodeError, csv.Error) as error:
        raise CohortError("participants.tsv must be a tab-separated table with a column participant_id; repair it.") from error
