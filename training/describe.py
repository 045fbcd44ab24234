"""`python -m training.describe CHECKPOINT...`: what other tools read of a checkpoint, made anew from its description.

metadata.json and the head of the card; networks, arrays and digest stay as they are.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from vaead_core.checkpoints.checkpoint import describe
from vaead_core.errors import exit_status


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0, or 2 with one sentence on stderr."""
    parser = argparse.ArgumentParser("python -m training.describe", description="Writes metadata.json and the card's head.")
    parser.add_argument("checkpoints", nargs="+", type=Path, metavar="CHECKPOINT")
    for folder in parser.parse_args(arguments).checkpoints:
        if status := exit_status(partial(describe, folder.resolve()), folder, "what was there before is whole"):
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
