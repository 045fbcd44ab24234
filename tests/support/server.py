"""The app's server as a process of its own, and where a browser finds it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Playwright

# One renderer for all tabs: what the first has compiled is there for the next, which loads with three quarters of the work.
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
FLAGS += ["--renderer-process-limit=1"]
ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def served(python: tuple[str, ...] = (), script: str = "app.py", **options) -> Iterator[str]:
    """The address of a server that answers, and that ends with the context. Arguments as of serve()."""
    server, address = serve(python, script, **options)
    try:
        wait_for(address)
        yield address
    finally:
        end(server)


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


def end(server: subprocess.Popen) -> None:
    """Asks a server to end; one that waits for connections that a browser keeps open for other tabs is killed."""
    server.terminate()
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


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


def chromium(driver: Playwright, bare: bool = True) -> Browser:
    """Debian's chromium. bare: that without windows, which loads a page with two thirds of the work, where there is one."""
    found = (shutil.which("chromium-headless-shell") if bare else None) or shutil.which("chromium")
    if found is None:
        raise FileNotFoundError("neither chromium-headless-shell nor chromium is installed")
    return driver.chromium.launch(executable_path=found, args=FLAGS)
