"""The features that users expect of the dashboard, and the table of the tests that show each.

A test shows a feature by `@pytest.mark.shows(NUMBER, ...)`. `pytest -m shows --acceptance` runs them and writes
docs/acceptance.md; a feature passes when all its tests do.
"""

from __future__ import annotations

from pathlib import Path

import pytest

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "acceptance.md"
FEATURES = {
    1: ("A", "Three linked orthogonal views with a crosshair"),
    2: ("A", "Scrolling by wheel and keys"),
    3: ("A", "R, L, A, P, S, I on every view, radiological or neurological"),
    4: ("A", "Voxel and mm coordinates and every layer's value under the cursor"),
    5: ("A", "Physical aspect"),
    6: ("A", "Opacity and threshold live while dragging, no rerun"),
    7: ("A", "Diverging range centred on 0 for signed maps, sequential for others"),
    8: ("A", "One lockable range across compared methods; colour bar with units and threshold mark"),
    9: ("A", "Two to four methods side by side with linked cursor, slice and zoom"),
    10: ("A", "Window and level with 1 to 99 % automatic, and reset"),
    11: ("A", "Precision-recall curves side by side, tied to the threshold"),
    12: ("A", "Anomaly map as .nii.gz on the scan's own grid"),
    13: ("A", "Works at once with the sample"),
    14: ("A", "Progress with stage names and elapsed time; cancel stops the work"),
    15: ("A", "Plain errors, never a traceback"),
    16: ("A", "“Research use only, not for diagnosis” on every page"),
    17: ("A", "Toy anomaly: a click sets the centre; size, intensity, kinds, undo, several at once"),
    18: ("A", "Sample-level scores against the healthy distribution"),
    19: ("B", "Map histogram, normal against anomalous pixels, threshold line"),
    20: ("B", "Mosaic, truth outline, true and false positives, flicker to the reconstruction by a key"),
    21: ("B", "Clusters table (mm, volume, peak); a click goes there"),
    22: ("B", "Report: one self-contained HTML file with figures, settings, versions, checksums"),
    23: ("B", "Page, checkpoint, slice and threshold in the address"),
    24: ("B", "Method table (AP, AUROC, best Dice, seconds), sortable, CSV"),
    25: ("B", "Dark theme, images on black, keyboard only, alt texts"),
    26: ("A", "What a map would miss in this scan: sensitivity by size and contrast, and where"),
    27: ("B", "Toys are chosen, dragged, resized and nudged; undo and redo by key"),
    28: ("B", "Ten clicks in two seconds plant ten toys"),
    29: ("A", "One scale and one threshold rule on Explore and in the toy lab"),
    30: ("B", "Random and the list of toys go to the toy"),
    31: ("B", "A link restores the toys"),
    32: ("B", "A study in one table: order, filters, pictures, CSV; a row opens its scan"),
    33: ("B", "Two groups and two visits of a study in figures and as a map of the difference"),
    34: ("B", "Verdicts on clusters: a file to save and go on from, precision by method"),
    35: ("B", "A tour of five stops for a lab meeting, each with an address"),
    36: ("B", "What runs in the background is told on every page"),
    37: ("B", "Which map for which anomaly: chosen on validation, AP on test with interval and chance"),
    38: ("B", "A figure for slides: chosen slices, black or white, 300 dpi PNG and SVG"),
    39: ("B", "The viewer's controls in groups by name, none cut at 1440, 1024 and 800 pixels"),
    40: ("B", "The window's ends on a histogram of the brain's intensities, live, no rerun"),
    41: ("B", "Ruler in mm; voxels, area, mean, SD and range in a region, of the scan and of each map"),
    42: ("B", "A 3-D view of the brain with the clusters above the threshold; a click goes to a peak"),
    43: ("B", "Two checkpoints, two scans or two thresholds side by side on the atlas grid, with a map of the difference"),
    44: ("B", "A session saved as one small file and opened again; an upload is asked for and known by its content"),
    45: ("B", "Painted lesions are planted like toys, and a brush draws one's own"),
    46: ("B", "Colour by one method, opacity by how rare another one is at a voxel"),
    47: ("B", "Warnings above pictures are a line each, and whole where a reader asks why; no unit without its sentence"),
    48: ("B", "The sidebar of a narrow window is closed until its reader opens it"),
}


class Acceptance:
    """Collects the outcome of each marked test and writes the table when all is run."""

    def __init__(self) -> None:
        self.shown: dict[int, dict[str, bool]] = {number: {} for number in FEATURES}
        self.features: dict[str, tuple[int, ...]] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Which features each test shows."""
        self.features = {item.nodeid: number for item in items if (number := shown_by(item))}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test passes when its set-up, call and clean-up do, in every parametrisation."""
        name = report.nodeid.split("[")[0]
        for number in self.features.get(report.nodeid, ()):
            self.shown[number][name] = self.shown[number].get(name, True) and report.passed

    def pytest_sessionfinish(self) -> None:
        """Writes docs/acceptance.md."""
        DOCUMENT.write_text(table(self.shown))


def shown_by(item: pytest.Item) -> tuple[int, ...]:
    """The numbers of a test's marks."""
    return tuple(number for mark in item.iter_markers("shows") for number in mark.args)


def table(shown: dict[int, dict[str, bool]]) -> str:
    """The document."""
    rows = [
        "# What users expect, and the tests that show it",
        "",
        "Written by `pytest -m shows --acceptance`. A: broken without it. B: expected. Speeds: `python -m benchmarks.ui`.",
        "",
        "| | | feature | | shown by |",
        "|---|---|---|---|---|",
    ]
    for number, (kind, feature) in FEATURES.items():
        tests = shown[number]
        verdict = "pass" if tests and all(tests.values()) else "FAIL"
        rows.append(f"| {number} | {kind} | {feature} | {verdict} | {'<br>'.join(_sentence(name) for name in sorted(tests))} |")
    return "\n".join(rows) + "\n"


def _sentence(name: str) -> str:
    file, _, test = name.partition("::")
    return f"{test.removeprefix('test_').replace('_', ' ')} ({Path(file).name})"
