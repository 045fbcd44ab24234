"""The page of a study: every scan by every measure, a table, and each scan's picture a click away. It opens offline.

`group.html` shows what is put into it here, and asks nothing of any other file but for the links.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from vaead_core.computing.checkout import PACKAGE
from vaead_core.study.dataset import StudyScan
from vaead_core.study.group import UNKNOWN, GroupTable, title_of

MOST_EMBEDDED = 28_000_000  # bytes of pictures that the page itself holds, a third more once they are text
_PLACE = "<!-- DATA -->\n"
_OWN = ("scan", "state", "sentence", "same_as", "cautions")  # shown in columns of the page's own
_ASIDE = {
    "participant_id",
    "session_id",
    "run",
    "made_by",
    "brain_found_by",
    "covered_share",
    "rotation",
    "contrast",
    "noise",
    "unevenness",
}
_STRIPS = ("registration_similarity", "mask_dice", "brain_volume", "distance", "contrast", "noise", "unevenness")
_STRIPS_OF_A_METHOD = ("percentile", "volume", "largest_cluster")
_SAID: dict[str, dict[str, Any]] = {
    "distance": {"title": "Distance from healthy scans", "said": "0: within their range", "least": 0},
    "percentile": {"title": "Percentile", "range": [0, 95], "ends": [0, 100], "said": "green: 95 of 100 healthy scans"},
    "volume": {"title": "Volume above threshold", "least": 0},
    "largest_cluster": {"title": "Largest cluster", "least": 0},
}

Record = dict[str, Any] | None
Value = str | float | None


def group_page(out: Path, name: str, table: GroupTable, scans: Sequence[StudyScan], records: Sequence[Record]) -> str:
    """HTML. out: the folder of results, where the pages and pictures of the scans lie. Pictures that are more than MOST_EMBEDDED
    in all are shown from their files."""
    files = pictures(out, scans, records)
    inside = are_embedded(files)
    columns = {column: _values(column, table) for column in table.columns if column not in _OWN}
    flags = _flags(table, records)
    data = {
        "name": name,
        "said": list(table.summary()),
        "columns": [_column(column, values, table) for column, values in columns.items()],
        "scans": [
            {
                "name": row["scan"],
                "state": row["state"],
                "sentence": record and record["sentence"],
                "flags": flags[at],
                "page": scan.name.page if record and scan.name.page in record["files"] else None,
                "picture": (f"#picture-{at}" if inside else scan.name.picture) if files[at] else None,
                "maps": [title_of(method) for method in record.get("found", {})] if record else [],
                "values": [values[at] for values in columns.values()],
            }
            for at, (scan, record, row) in enumerate(zip(scans, records, table.rows, strict=True))
        ],
        "strips": list(_strips(columns, table, records)),
    }
    before, after = (PACKAGE / "study" / "group.html").read_text(encoding="utf-8").split(_PLACE)
    return "".join([before.replace("POLICY", _policy(after, inside)), *_blocks(data, files if inside else []), after])


def pictures(out: Path, scans: Sequence[StudyScan], records: Sequence[Record]) -> list[Path | None]:
    """The file of each scan's picture; None where it has none."""
    files = [out / scan.name.picture if record and scan.name.picture in record["files"] else None
             for scan, record in zip(scans, records, strict=True)]  # fmt: skip
    return [file if file and file.is_file() else None for file in files]


def are_embedded(files: Sequence[Path | None]) -> bool:
    """Whether the page holds the pictures itself."""
    return sum(file.stat().st_size for file in files if file) <= MOST_EMBEDDED


def _blocks(data: dict[str, Any], files: Sequence[Path | None]) -> Iterator[str]:
    """What the page's script reads. No text of others ends an element: json writes ASCII alone, and here no <."""
    told = json.dumps(data, allow_nan=False).replace("<", "\\u003c")
    yield f"<script type='application/json' id='data'>{told}</script>\n"
    for at, file in enumerate(files):
        if file:
            content = base64.b64encode(file.read_bytes()).decode()
            yield f"<script type='text/plain' id='picture-{at}'>data:image/webp;base64,{content}</script>\n"


def _policy(script: str, inside: bool) -> str:
    """By it a browser runs that script alone, and asks no one for anything but pictures that lie beside the page."""
    found = re.search("<script>(.*?)</script>", script, re.DOTALL)
    if found is None:
        raise ValueError("group.html has no script")
    digest = base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()
    images = "data:" if inside else "data: 'self' file:"
    return f"default-src 'none'; img-src {images}; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"


def _column(name: str, values: list[Value], table: GroupTable) -> dict[str, Any]:
    told = table.columns[name]
    return {
        "title": told["LongName"],
        "about": told["Description"],
        "unit": told.get("Units", ""),
        "number": any(isinstance(value, float) for value in values),
        "aside": name in {*_ASIDE, *(f"{method}_score" for method in table.methods)},
        "theirs": name in table.theirs,
    }


def _values(name: str, table: GroupTable) -> list[Value]:
    """A column: numbers where all that is known are finite ones, else texts."""
    texts = [None if (text := row.get(name, UNKNOWN)) == UNKNOWN else text for row in table.rows]
    try:
        numbers = [None if text is None else float(text) for text in texts]
    except ValueError:
        return [*texts]
    return [*(numbers if all(number is None or math.isfinite(number) for number in numbers) else texts)]


def _flags(table: GroupTable, records: Sequence[Record]) -> list[list[str]]:
    """What a reader should look at in each scan that was scored."""
    makes = Counter(row["made_by"] for row in table.rows if row["state"] == "scored")
    usual = makes.most_common(1)[0][0] if makes else None
    found: list[list[str]] = []
    for row, record in zip(table.rows, records, strict=True):
        said = list(record["warnings"]) if record and row["state"] == "scored" else []
        if row.get("same_as", UNKNOWN) != UNKNOWN:
            said.append(f"Its file holds the same bytes as that of {row['same_as']}.")
        if row["state"] == "scored" and row["made_by"] != usual:
            said.append("It was made otherwise than most of the scans (made_by).")
        found.append(said)
    return found


def _strips(columns: dict[str, list[Value]], table: GroupTable, records: Sequence[Record]) -> Iterator[dict[str, Any]]:
    """Which columns are drawn, with the range of healthy scans where all scans have the same."""
    scored = [record for record in records if record and record["sentence"] is None]
    ranges = {"registration_similarity": {tuple(record["registration"]["healthy_similarities"]) for record in scored}}
    for name in ("contrast", "noise", "unevenness"):
        ranges[name] = {tuple(record["image_quality_of_healthy_scans"].get(name, ())) for record in scored}
    shown = [("", name, name) for name in _STRIPS]
    shown += [(title_of(method), f"{method}_{what}", what) for method in table.methods for what in _STRIPS_OF_A_METHOD]
    for heading, name, kind in shown:
        if any(isinstance(value, float) for value in columns[name]):
            known = ranges.get(name, set())
            healthy = {"range": list(known.pop()) or None} if len(known) == 1 else {}
            yield {"column": list(columns).index(name), "heading": heading, **healthy, **_SAID.get(kind, {})}
