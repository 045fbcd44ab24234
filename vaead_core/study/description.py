"""What a folder of results says of itself: dataset_description.json, README.md, .bidsignore."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from vaead_core import __version__
from vaead_core.computing.whole_file import write_whole
from vaead_core.errors import InputError

FILE = "dataset_description.json"
BIDS_VERSION = "1.11.0"
IGNORED = "*_statmap.*\n*_xfm.*\n*_scores.json\n*_limits.json\ngroup.*\n*.html\nfigures\n"
README = """# Anomaly maps by vaead

Research use only, not for diagnosis.

Of each T1 scan `<scan>`, by each method:

- `<scan>_space-T1w_desc-<method>_statmap.nii.gz`: its map on the scan's own grid, where higher, or of signed methods farther from
  0, is more abnormal. It is no probability.
- `..._mask.nii.gz`: what of it lies above the threshold that its `.json` names.
- `..._dseg.nii.gz`, `..._dseg.tsv`: the connected parts of that.

`<scan>.html` shows it, with its scores and largest clusters; it opens offline. `sub-*/figures/` holds the pictures alone.

`<scan>_scores.json` has all scores of the scan, or the sentence that says why it has none, and `<scan>_limits.json`, where that
was asked for, what its maps would have missed. BIDS 1.11 has no suffix for maps of statistics, for transforms, for scores and for
detection limits: `.bidsignore` names ours.
"""
OF_ONE = """
These are of one scan, from the app's Explore page, with the thresholds, verdicts and comments that stood there. `bids:raw:` in
the `.json` files means the dataset that holds the scan.
"""


def describe(out: Path, raw: Path) -> None:
    """Writes these files. Raises InputError where `out` holds what another tool made, and OSError."""
    out.mkdir(parents=True, exist_ok=True)
    _refuse_foreign(out)
    for name, text in _files(README, _description(out, raw)).items():
        write_whole(out / name, text)


def files_of_one(participant: str) -> dict[str, str]:
    """The same, by name, for the results of one scan that no dataset is known of."""
    return _files(README + OF_ONE, _said(participant))


def _files(readme: str, said: dict[str, Any]) -> dict[str, str]:
    return {".bidsignore": IGNORED, "README.md": readme, FILE: json.dumps(said, indent=1, ensure_ascii=False) + "\n"}


def _refuse_foreign(out: Path) -> None:
    if not (out / FILE).exists():
        return
    names = makers(out)
    if "vaead" not in names:
        whose = f"results of {names[0]}" if names else "a dataset of its own"
        raise InputError(f"{out} holds {whose}; give vaead's results another folder.")


def makers(folder: Path) -> list[Any]:
    """The tools that a dataset says it was made by. Raises InputError where it is damaged."""
    made_by = read_description(folder).get("GeneratedBy")
    return [one.get("Name") for one in made_by if isinstance(one, dict)] if isinstance(made_by, list) else []


def _description(out: Path, raw: Path) -> dict[str, Any]:
    about = read_description(raw)
    where = Path(os.path.relpath(raw.resolve(), out.resolve())).as_posix()
    source = {"DOI": about["DatasetDOI"]} if isinstance(about.get("DatasetDOI"), str) else {"URL": where}
    return _said(about.get("Name") or raw.resolve().name) | {"SourceDatasets": [source], "DatasetLinks": {"raw": where}}


def _said(of: str) -> dict[str, Any]:
    """What is said of any results."""
    return {
        "Name": f"Anomaly maps of {of}",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": "vaead", "Version": __version__} | _container()],
    }


def _container() -> dict[str, Any]:
    """Apptainer tells what runs; Docker only that it does."""
    if name := os.environ.get("APPTAINER_NAME") or os.environ.get("SINGULARITY_NAME"):
        return {"Container": {"Type": "apptainer", "Tag": name}}
    return {"Container": {"Type": "docker"}} if Path("/.dockerenv").exists() else {}


def read_description(folder: Path) -> dict[str, Any]:
    """What a dataset says of itself; {} where there is no such file. Raises InputError for a damaged one."""
    try:
        said = json.loads((folder / FILE).read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except (ValueError, OSError) as error:
        raise InputError(f"{folder / FILE} cannot be read; repair it.") from error
    return said if isinstance(said, dict) else {}
