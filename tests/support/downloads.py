"""What a reader in a browser downloads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import nibabel as nib
from playwright.sync_api import TimeoutError as NotThere

from tests.support.waiting import PATIENCE_SECONDS, script_over, until, wait_for_maps

if TYPE_CHECKING:
    from playwright.sync_api import Download, Locator, Page


def to_save(tab: Page, label: str, seconds: float = PATIENCE_SECONDS) -> Locator:
    """A button of Explore's list of files, which is opened where it is not. seconds: until it must be there."""
    button = tab.get_by_role("button", name=label, exact=True)
    if not button.is_visible():
        tab.get_by_role("button", name="Save", exact=True).click()
    button.wait_for(timeout=1000 * seconds)
    return button


def downloaded(tab: Page, label: str) -> Download:
    """What a button of that list gives. A run of the page makes its buttons anew, and may close the list."""

    def click() -> bool:
        script_over(tab)
        try:
            to_save(tab, label, 5).click(timeout=5000)
        except NotThere:
            return False
        return True

    with tab.expect_download() as download:
        until(click)
    return download.value


def downloaded_map(tab: Page, folder: Path, method: str = "Voxel atlas (baseline)") -> tuple[str, nib.Nifti1Image]:
    """The file's name and its content, which is laid into `folder`. method: by its title."""
    wait_for_maps(tab)
    download = downloaded(tab, f"{method}, NIfTI")
    download.save_as(folder / "map.nii.gz")
    return download.suggested_filename, nib.load(folder / "map.nii.gz")
