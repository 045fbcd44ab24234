"""`python -m benchmarks.start [RUNS]`: cold `streamlit run app.py` to the sample's maps visible in a browser."""

import sys
import time

import numpy as np
from playwright.sync_api import sync_playwright

from tests.support.server import chromium, served
from tests.support.waiting import wait_for_maps

STAGES = ("chromium alone", "server answers", "page drawn", "maps visible", "server to maps")


def main(runs: int) -> None:
    """Prints the median seconds of each stage over `runs` cold starts; chromium's own start is not in the sum."""
    times = [start() for _ in range(runs)]
    for stage, seconds in zip(STAGES, np.transpose(times), strict=True):
        print(f"{stage:16} {np.median(seconds):5.2f} s  ({min(seconds):.2f} to {max(seconds):.2f})")


def start() -> list[float]:
    """Seconds of each of STAGES for one new server and one new browser."""
    with sync_playwright() as driver:
        begin = time.perf_counter()
        browser = chromium(driver, bare=False)
        tab = browser.new_page()
        marks = [time.perf_counter()]
        with served() as address:
            marks.append(time.perf_counter())
            tab.goto(address)
            tab.get_by_text("Research use only").wait_for(timeout=60_000)
            marks.append(time.perf_counter())
            wait_for_maps(tab)
            marks.append(time.perf_counter())
        browser.close()
    return [marks[0] - begin, *np.diff(marks).tolist(), marks[-1] - marks[0]]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
