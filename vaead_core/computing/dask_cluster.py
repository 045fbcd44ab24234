"""A Dask cluster as the place where scans are prepared and the parts of an experiment run."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import joblib

from vaead_core.computing.code import code_digest
from vaead_core.errors import InputError

CONNECTING_SECONDS = 20
START = "where this vaead is installed, start: dask scheduler, and dask worker"


@contextmanager
def cluster(address: str) -> Iterator[None]:
    """joblib's calls run on the workers of the scheduler at `address`.

    Raises InputError when there is no worker, or one that runs no or other code: Dask itself would wait without an end.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise InputError("--dask needs Dask; install it with: pip install dask distributed.") from error
    try:
        client = Client(address, timeout=CONNECTING_SECONDS, set_as_default=True)
    except OSError as error:
        raise InputError(f"No Dask scheduler answers at {address}; start one with: dask scheduler.") from error
    with client:
        _check(client, address)
        with joblib.parallel_config(backend="dask"):
            yield


def _check(client: Any, address: str) -> None:
    if not client.scheduler_info()["workers"]:
        raise InputError(f"The scheduler at {address} has no worker; start some with: dask worker {address}.")
    for who, run in (("scheduler", client.run_on_scheduler), ("workers", client.run)):
        try:
            run(importlib.import_module, code_digest.__module__)
        except ImportError as error:
            raise InputError(f"The Dask {who} at {address} cannot import vaead_core; {START} {address}.") from error
    if set(client.run(code_digest).values()) != {code_digest()}:
        raise InputError(f"The Dask workers at {address} run another version of vaead_core; {START} {address}.")
