"""The repository that this package is part of, where it is not installed on its own."""

from importlib.resources import files
from pathlib import Path

PACKAGE = Path(str(files("vaead_core")))


def checkout() -> Path | None:
    """The repository's folder, with the app and the training; None where the package is installed without them."""
    folder = PACKAGE.parent
    return folder if (folder / "app.py").is_file() and (folder / "training").is_dir() else None
