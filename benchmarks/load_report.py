"""The tables of `python -m benchmarks.load`, and docs/load.md."""

from __future__ import annotations

import os
import platform
from collections import Counter
from importlib.metadata import version
from pathlib import Path

import numpy as np

from vaead_core.computing import machine

Seconds = dict[str, list[float]]  # by act
MOST_RATIO = 2.0  # of medians, beside a hostile reader to without
RECORD = Path(__file__).resolve().parents[1] / "docs" / "load.md"
LOAD_AT_START = os.getloadavg()[0]
HEAD = """# Many readers on one server

Written by `python -m benchmarks.load --record`. Each reader is a session of its own that speaks to the server over loopback as
a browser does, fetches the viewer's volumes, and pauses 3 s on average between acts; half of them have scans of 1 mm. Nothing
is drawn, so a browser's own work is not in the figures; what readers' programs compute is done by the same cores. Memory is that
of the server and of the processes that it runs uploaded networks in.

Beside a hostile one (`--hostile`): that one never pauses. Again and again it uploads a checkpoint whose network never ends on a
scan and chooses it, uploads one whose calibration unpacks to 400 MB too much, asks for 20 addresses and sends files of 20 to
190 MB to them, and comes back as a new session. The others are measured without it first. What goes wrong: an error of theirs,
a median that more than doubles, memory that does not return.
"""


def tables(parts: dict) -> dict[str, str]:
    """A section for each part, by its title: the machine, seconds by act, memory, what went wrong."""
    return {name.capitalize(): "\n".join([_machine(), _section(*part)]) for name, part in parts.items()}


def slower(before: Seconds, after: Seconds) -> list[str]:
    """A sentence for each act whose median more than doubled, or that nobody came to any more."""
    said = [f"{act}: the median is {ratio:.2f} times that without" for act, ratio in _ratios(before, after) if ratio > MOST_RATIO]
    return said + [f"{act}: nobody came to it any more" for act in before if act not in after]


def compared(without, beside, answers: Counter[tuple[str, str]]) -> str:
    """A section: what readers met without and beside a hostile one, memory, and what that one was told."""
    (quiet, quiet_megabytes), (tally, megabytes) = without, beside
    rows = [
        f"| {act} | {len(quiet.seconds[act])} | {np.median(quiet.seconds[act]):.2f} | {len(tally.seconds[act])} "
        f"| {np.median(tally.seconds[act]):.2f} | {np.quantile(tally.seconds[act], 0.95):.2f} | {ratio:.2f} |"
        for act, ratio in sorted(_ratios(quiet.seconds, tally.seconds))
    ]
    head = "| act | times without | median s | times beside it | median s | 95 % s | ratio of medians |"
    memory = [f"| {when} | {quiet_megabytes[when]:.0f} | {size:.0f} |" for when, size in megabytes.items()]
    told = [f"| {what} | {said} | {times} |" for (what, said), times in sorted(answers.items())]
    parts = [[_machine(), head, "|---|---|---|---|---|---|---|", *rows]]
    parts += [["| memory | MB without | MB beside it |", "|---|---|---|", *memory]]
    parts += [["| what the hostile one did | what it was told | times |", "|---|---|---|", *told]]
    parts += [[_waited(tally)], [_wrong([f"without: {fault}" for fault in quiet.faults] + tally.faults)]]
    return "\n\n".join("\n".join(lines) for lines in parts) + "\n"


def _ratios(before: Seconds, after: Seconds) -> list[tuple[str, float]]:
    """Of medians, of each act that both have."""
    return [(act, float(np.median(after[act]) / np.median(before[act]))) for act in before if act in after]


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
    head = ["| act | times | median s | 95 % s | longest s |", "|---|---|---|---|---|"]
    return "\n".join([*head, *rows, "", "| memory | MB |", "|---|---|", *memory, "", _waited(tally), _wrong(tally.faults), ""])


def _waited(tally) -> str:
    return f"{tally.waited} of {sum(map(len, tally.seconds.values()))} acts were told to wait for their turn."


def _wrong(faults: list[str]) -> str:
    return "Nothing went wrong." if not faults else "\n".join(f"- {fault}" for fault in faults)
