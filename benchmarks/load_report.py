"""The tables of `python -m benchmarks.load`, and docs/load.md."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np

from vaead_core.computing import machine

RECORD = Path(__file__).resolve().parents[1] / "docs" / "load.md"
LOAD_AT_START = os.getloadavg()[0]
HEAD = """# Many readers on one server

Written by `python -m benchmarks.load --record`. Each reader is a session of its own that speaks to the server over loopback as
a browser does, fetches the viewer's volumes, and pauses 3 s on average between acts; half of them have scans of 1 mm. Nothing
is drawn, so a browser's own work is not in the figures; what readers' programs compute is done by the same cores.
"""


def tables(parts: dict) -> dict[str, str]:
    """A section for each part, by its title: the machine, seconds by act, memory, what went wrong."""
    return {name.capitalize(): "\n".join([_machine(), _section(*part)]) for name, part in parts.items()}


def record(sections: dict[str, str]) -> None:
    """Writes docs/load.md; sections of other titles stay as they were."""
    _, *old = RECORD.read_text().split("\n## ") if RECORD.exists() else [""]
    known = dict(section.rstrip("\n").split("\n\n", 1) for section in old)
    RECORD.write_text(HEAD + "".join(f"\n## {title}\n\n{text.rstrip()}\n" for title, text in (known | sections).items()))


def _machine() -> str:
    gigabytes = machine.physical_memory() / (1 << 30)
    said = f"Machine: {machine.processor()}, {machine.cores()} cores, {gigabytes:.0f} GiB; Python {platform.python_version()}, "
    said += f"Streamlit {version('streamlit')}. Load average when the run began: {LOAD_AT_START:.2f}"
    return f"{said}{'; other work ran beside it.' if LOAD_AT_START > 0.5 else '.'}\n"


def _section(tally, megabytes: dict[str, float]) -> str:
    rows = [
        f"| {act} | {len(found)} | {np.median(found):.2f} | {np.quantile(found, 0.95):.2f} | {max(found):.2f} |"
        for act, found in sorted(tally.seconds.items())
    ]
    memory = [f"| {when} | {size:.0f} |" for when, size in megabytes.items()]
    waited = f"{tally.waited} of {sum(map(len, tally.seconds.values()))} acts were told to wait for their turn."
    wrong = "Nothing went wrong." if not tally.faults else "\n".join(f"- {fault}" for fault in tally.faults)
    head = ["| act | times | median s | 95 % s | longest s |", "|---|---|---|---|---|"]
    return "\n".join([*head, *rows, "", "| memory | MB |", "|---|---|", *memory, "", waited, wrong, ""])
