"""Where development data is looked for."""

import os
from pathlib import Path

from vaead_core.computing.checkout import checkout


def find_data(name: str) -> Path | None:
    """The folder `name` under $VAEAD_DATA, else under ../shared/data beside the repository, else None.

    A path is None too, as it can lead out of these: the name may come from a checkpoint that somebody sent.
    """
    if Path(name).name != name or name in ("", ".."):
        return None
    repository = checkout()
    for base in (os.environ.get("VAEAD_DATA"), repository and repository.parent / "shared" / "data"):
        if base and (Path(base) / name).is_dir():
            return Path(base) / name
    return None
