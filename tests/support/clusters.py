"""A Dask cluster as its users start one: a scheduler and workers, each a process of Dask's own command line."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def dask(*arguments: str, cwd: Path, **environment: str) -> Iterator[None]:
    """`dask ARGUMENTS` run in the folder `cwd`."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([sys.executable, "-m", "dask", *arguments], cwd=cwd, env=inherited | environment, **quiet)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def scheduler(cwd: Path, **environment: str) -> Iterator[str]:
    """Address of a scheduler on loopback that answers and has no worker."""
    port = _free_port()
    with dask("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard", cwd=cwd, **environment):
        _wait_for(port)
        yield f"tcp://127.0.0.1:{port}"


@contextmanager
def cluster(workers: int) -> Iterator[str]:
    """Address of a scheduler whose workers run this package, a process each."""
    from distributed import Client

    with ExitStack() as processes:
        address = processes.enter_context(scheduler(ROOT))
        for _ in range(workers):
            processes.enter_context(dask("worker", address, "--nthreads", "1", "--no-dashboard", cwd=ROOT))
        with Client(address, timeout=60) as client:
            client.wait_for_workers(workers, timeout=120)
        yield address


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def _wait_for(port: int) -> None:
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(f"nothing listens on {port}")
