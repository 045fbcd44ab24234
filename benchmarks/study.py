"""A folder of T1 scans arranged as BIDS, what a study of them costs, and how soon its page answers.

    python -m benchmarks.study FOLDER --scans 4 --scorers smoothed_residual voxel_atlas dark_asymmetry
    python -m benchmarks.study FOLDER --scans 4 --simulated 500    the group's page of 500 scans, made of these
    python -m benchmarks.study FOLDER --tree BIDS_DIR       only arranges it there, by links
"""  # fmt: skip

from __future__ import annotations

import argparse
import itertools
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.support.server import chromium
from vaead_core.cohorts.folder_files import folder_files
from vaead_core.scans.names import EXTENSION, stem
from vaead_core.study.names import BidsName


def arranged(folder: Path, tree: Path, most: int | None = None) -> Path:
    """The first `most` scans of a folder as a BIDS dataset of links at `tree`. A name that is none of BIDS becomes a label."""
    for path in folder_files(folder).scans[:most]:
        called = stem(path.name)
        name = BidsName.of(called)
        if name is None or name.suffix != "T1w":
            name = BidsName((("sub", re.sub("[^A-Za-z0-9]", "", called)),), "T1w")
        place = tree / name.folder / f"{name.stem}{path.name[EXTENSION.search(path.name).start() :]}"  # type: ignore[union-attr]
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(path.resolve())
    if (folder / "participants.tsv").is_file():
        (tree / "participants.tsv").symlink_to((folder / "participants.tsv").resolve())
    about = {"Name": folder.resolve().name, "BIDSVersion": "1.11.0", "DatasetType": "raw"}
    (tree / "dataset_description.json").write_text(json.dumps(about, indent=1) + "\n")
    return tree


def measured(tree: Path, out: Path, *words: str) -> tuple[float, float, float]:
    """Seconds on the clock and of processors, and the MB of the largest process, of `vaead TREE OUT WORDS...`."""
    start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "vaead_core", str(tree), str(out), *words], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - start, processor, after.ru_maxrss / 1024


def multiplied(tree: Path, out: Path, scans: int) -> None:
    """Puts participants sim0001 and so on into a dataset and its results, with numbers and pictures of those that are there."""
    there = [path for path in sorted(out.rglob("*_scores.json")) if json.loads(path.read_text())["sentence"] is None]
    for at, path in zip(range(scans), itertools.cycle(there), strict=False):
        old, record = BidsName.of(path.stem), json.loads(path.read_text())
        name = BidsName((("sub", f"sim{at:04d}"),), "T1w")
        scan, held = tree / name.folder / f"{name.stem}.nii", out / name.folder / f"{name.made('scores').stem}.json"
        for place in (scan, held, out / name.picture):
            place.parent.mkdir(parents=True, exist_ok=True)
        scan.touch()
        picture = BidsName(old.entities, "T1w").picture  # type: ignore[union-attr]
        (out / name.picture).write_bytes((out / picture).read_bytes())
        (out / name.page).write_text((out / BidsName.of(path.stem).page).read_text())  # type: ignore[union-attr]
        record["made_of"]["scan"] = str(at)
        record["brain_volume_ml"] += at % 97
        held.write_text(json.dumps(record | {"entities": dict(name.entities), "files": [name.picture, name.page]}))


def page_seconds(page: Path) -> dict[str, float]:
    """Seconds until chromium has drawn the page, has sorted its table, and has filtered it."""
    with sync_playwright() as driver:
        browser = chromium(driver)
        tab, start = browser.new_page(viewport={"width": 1440, "height": 900}), time.monotonic()
        tab.goto(page.resolve().as_uri())
        tab.evaluate(_DRAWN.replace("ACT", ""))
        found = {"opens": time.monotonic() - start}
        for name, act in (("sorts", "document.querySelectorAll('thead button')[3].click()"), ("filters", _TYPED)):
            found[name] = tab.evaluate(_DRAWN.replace("ACT", act)) / 1000
        browser.close()
    return found


_TYPED = "document.querySelector('#text').value = 'sim000'; document.querySelector('#text').dispatchEvent(new Event('input'))"
_DRAWN = """() => new Promise(resolve => {
    const start = performance.now();
    ACT;
    requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now() - start)));
})"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scans", type=int, help="how many; default: all")
    parser.add_argument("--scorers", nargs="+", default=["smoothed_residual", "voxel_atlas", "dark_asymmetry"])
    parser.add_argument("--n-procs", type=int, default=1)
    parser.add_argument("--simulated", type=int, default=0, help="so many scans more in the group's table and page")
    parser.add_argument("--tree", type=Path, help="a new folder that the scans are arranged in, and nothing is measured")
    options = parser.parse_args()
    if options.tree:
        print(arranged(options.folder, options.tree, options.scans))
        return
    with tempfile.TemporaryDirectory() as scratch:
        tree, out = arranged(options.folder, Path(scratch) / "raw", options.scans), Path(scratch) / "out"
        scans = len(list(tree.glob("sub-*/**/*_T1w.nii*")))
        chosen = ["--scorers", *options.scorers, "--n-procs", str(options.n_procs)]
        for said, words in (("participant", ["participant", *chosen]), ("again", ["participant", *chosen]), ("group", ["group"])):
            clock, processor, megabytes = measured(tree, out, *words)
            print(f"{said}: {clock / scans:.1f} s a scan, {processor / scans:.1f} s of processors, {megabytes:.0f} MB a process")
        size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
        print(f"{scans} scans, {size / scans / 1e6:.1f} MB a scan")
        if options.simulated:
            multiplied(tree, out, options.simulated)
            clock, _, megabytes = measured(tree, out, "group")
            print(f"group of {options.simulated} more: {clock:.1f} s, {megabytes:.0f} MB a process")
        page = out / "group.html"
        times = ", ".join(f"{name} in {seconds:.2f} s" for name, seconds in page_seconds(page).items())
        print(f"group.html: {page.stat().st_size / 1e6:.1f} MB, {times}")


if __name__ == "__main__":
    main()
