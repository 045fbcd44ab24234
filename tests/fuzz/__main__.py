"""`python -m tests.fuzz [CASES] [SEED]`: exit status 1 when a file led to anything but a result or a sentence."""

import sys
import tempfile
from pathlib import Path

from tests.fuzz.run import fuzz
from tests.support.trainings import tiny
from training.run import train
from vaead_core.cohorts.synthetic import synthetic_brain

if __name__ == "__main__":
    count, seed = (int(sys.argv[at]) if len(sys.argv) > at else default for at, default in ((1, 10_000), (2, 0)))
    with tempfile.TemporaryDirectory() as scratch:
        train(tiny(Path(scratch) / "tiny"))
        cases = Path(scratch) / "cases"
        cases.mkdir()
        tally = fuzz(count, Path(scratch) / "tiny", synthetic_brain(7, 0, 40.0), cases, seed)
    print("\n".join([*tally.wrong, *tally.hangs, str(tally)]))
    sys.exit(bool(tally.wrong or tally.hangs))
