"""An uploaded scan stays in memory, and nothing of it is written, logged or told to anybody."""

import os
import re
from pathlib import Path

import nibabel as nib
import numpy as np
from playwright.sync_api import expect

from tests.support.downloads import downloaded
from tests.support.server import end, serve, wait_for
from tests.support.waiting import wait_for_maps

ROOT = Path(__file__).resolve().parents[2]

NAME = "DOE^JANE_1970.nii"


def test_an_uploaded_scan_is_neither_written_down_nor_named_in_a_log_or_report(
    browser, brain_volume, tiny_checkpoint_folder, tmp_path
):
    temporary, log = tmp_path / "temporary", tmp_path / "log"
    temporary.mkdir()
    environment = {
        "VAEAD_CHECKPOINTS": str(tiny_checkpoint_folder.parent),
        "VAEAD_SHIPPED": "off",
        "VAEAD_PLACEMENTS": "",
        "TMPDIR": str(temporary),
        "HOME": str(temporary),
    }
    before = _files()
    with log.open("w") as printed:
        server, address = serve(env=os.environ | environment, stdout=printed, stderr=printed)
        try:
            wait_for(address)
            tab = browser.new_page()
            tab.goto(address)
            wait_for_maps(tab)
            content = nib.Nifti1Image(brain_volume.data * np.float32(1.01), brain_volume.affine).to_bytes()
            field = {"mimeType": "application/octet-stream"}
            tab.locator("input[type=file]").first.set_input_files({"name": NAME, "buffer": content, **field})
            expect(tab.get_by_text(re.compile("JANE_1970.*Similarity"))).to_be_visible()  # not the sample's report any more
            wait_for_maps(tab)
            expect(tab.get_by_text("One map in numbers")).to_be_visible()
            written = Path(downloaded(tab, "Report, HTML").path()).read_text()
            report = re.sub("base64,[^']*", "", written)  # pictures, whose letters mean nothing
            tab.locator("input[type=file]").first.set_input_files({"name": NAME, "buffer": b"no scan" * 99, **field})
            expect(tab.get_by_text("is not a NIfTI file")).to_be_visible()
            open_files = [os.readlink(path) for path in Path(f"/proc/{server.pid}/fd").iterdir() if path.exists()]
            tab.close()
        finally:
            end(server)
    assert "Research use only" in report
    assert not [word for word in ("DOE", "JANE", str(ROOT), str(tmp_path)) if word in report]
    assert not [word for word in ("DOE", "JANE", "Traceback") if word in log.read_text()]
    assert not [path for path in open_files if "(deleted)" in path and path.startswith("/tmp")]
    assert [path for path in temporary.rglob("*") if path.is_file() and path.stat().st_size > 100_000] == []
    assert _files() == before


def _files() -> set[Path]:
    """What lies in the sources' folder, caches of tools aside."""
    kept = ("pages", "vaead_core", "checkpoints", "results", ".streamlit")
    return {path for name in kept for path in (ROOT / name).rglob("*") if "__pycache__" not in path.parts}
