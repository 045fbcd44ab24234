"""What tests of the pages know of them."""

import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

from tests.support.descriptions import older
from tests.support.reader import Reader, Run
from vaead_core.checkpoints.archive import packed
from vaead_core.checkpoints.checkpoint import checksum

FIRST = [
    "Logistic fusion of maps",
    "Segmenter of synthetic anomalies",
    "Normalised residual, smoothed",
    "Voxel atlas (baseline)",
]  # the maps that a page shows of the tiny checkpoint
IN_TRUTH = re.compile("(?<!not )in the truth")  # of the viewer's readout, which else says "not in the truth"


def archive(folder: Path, name: str, says: dict[str, Any] | None = None, **files: str) -> bytes:
    """A checkpoint's folder as an upload called `name`, with other files in it and checksums that fit them.

    says: entries of its description in place of its own.
    """
    content = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(packed(folder))) as source, zipfile.ZipFile(content, "w") as target:
        held = {entry.rpartition("/")[2]: source.read(entry) for entry in source.namelist()}
        held |= {file.replace("_", "."): text.encode() for file, text in files.items()}
        said = json.loads(held["checkpoint.json"])
        held, said = (older(held), said | says) if says else (held, said)
        said["files"] = {file: checksum(file, held[file]) for file in said["files"]}
        for file, data in (held | {"checkpoint.json": json.dumps(said).encode()}).items():
            target.writestr(f"{name}/{file}", data)
    return content.getvalue()


def upload_checkpoint(reader: Reader, folder: Path) -> Run:
    """A checkpoint's folder, packed, through the page of checkpoints."""
    reader.open("Checkpoints")
    reader.set("checkpoints_view", string_array_value={"data": ["Upload"]})
    reader.run()
    return reader.upload("mine.zip", packed(folder))
