"""What the lines of a command tell of how far it is."""

import re

STARTING = "starting"  # its stage until it says anything


def scans_done(line: str) -> float | None:
    """The share that is done, where a command says `3 of 20 scans`.

    >>> scans_done("3 of 20 scans: sub-01_T1w"), scans_done("Left out: 2 masks")
    (0.15, None)
    """
    found = re.match(r"(\d+) of (\d+) scans(?=:|\s*$)", line)
    return int(found[1]) / int(found[2]) if found else None


def stage(line: str) -> str | None:
    """What it is at, where the line says nothing else.

    >>> stage("stage: epoch 1 of 10"), stage("epoch 1 loss 0.2")
    ('epoch 1 of 10', None)
    """
    found = re.fullmatch(r"stage: (.+)", line.strip())
    return found[1] if found else None
