"""What a training is at, a line each to whoever reads its output; a terminal shows progress bars instead."""

import sys

STAGE = "stage: "


def begin(stage: str) -> None:
    """Tells of it at once."""
    if not sys.stdout.isatty():
        print(f"{STAGE}{stage}", flush=True)
