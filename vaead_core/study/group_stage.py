"""All scans of a study together, from their records and pictures: group.tsv, group.json, group.html."""

from __future__ import annotations

import json
from pathlib import Path

from vaead_core.computing.whole_file import write_whole
from vaead_core.study.dataset import Study
from vaead_core.study.description import read_description
from vaead_core.study.group import group_table
from vaead_core.study.group_page import are_embedded, group_page, pictures
from vaead_core.study.records import read_records


def run(study: Study, out: Path) -> None:
    """Writes the three. Raises InputError where no scan has a record, and OSError."""
    records = read_records(out, study.scans)
    table = group_table(study, records)
    name = str(read_description(out).get("Name") or f"Anomaly maps of {study.folder.resolve().name}")
    write_whole(out / "group.json", json.dumps(table.columns, indent=1, ensure_ascii=False) + "\n")
    write_whole(out / "group.tsv", table.tsv)
    write_whole(out / "group.html", group_page(out, name, table, study.scans, records))
    for sentence in table.summary():
        print(sentence)
    if not are_embedded(pictures(out, study.scans, records)):
        print("group.html shows the pictures in sub-*/figures, which are too many to be in it; keep them beside it.")
