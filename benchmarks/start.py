"""`python -m benchmarks.start [RUNS]`: cold `streamlit run app.py` to the sample's maps visible in a browser."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
ROOT = Path(__file__).resolve().parents[1]
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
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
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


@contextmanager
def served(python: tuple[str, ...] = (), script: str = "app.py", **options) -> Iterator[str]:
    """The address of a server that answers, and that ends with the context. Arguments as of serve()."""
    server, address = serve(python, script, **options)
    try:
        wait_for(address)
        yield address
    finally:
        server.terminate()
        server.wait(20)


def serve(
    python: tuple[str, ...] = (), script: str = "app.py", before: tuple[str, ...] = (), **options
) -> tuple[subprocess.Popen, str]:
    """The app's server on a free port, and its address. python: the interpreter's flags; before: a command that begins it;
    options: as Popen takes them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [*before, sys.executable, *python, "-m", "streamlit", "run", script, "--server.headless", "true"]
    command += ["--server.port", str(port), "--server.address", "127.0.0.1", "--browser.serverAddress", "127.0.0.1"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": ROOT, "env": os.environ.copy()}
    return subprocess.Popen(command, **quiet | options), f"http://127.0.0.1:{port}"


def wait_for(address: str, seconds: float = 60) -> None:
    """Returns when the server answers; raises TimeoutError when it does not."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=1)
            return
        except OSError:
            time.sleep(0.02)
    raise TimeoutError(f"no server at {address} after {seconds} s")


def wait_for_maps(tab: Page) -> None:
    """Returns when the viewer has drawn the scan and its maps."""
    tab.locator(".viewer[data-state=drawn]").wait_for(timeout=90_000)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
