"""What a reader in a browser downloads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import nibabel as nib

from tests.support.waiting import script_over, wait_for_maps

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


def to_save(tab: Page, label: str) -> Locator:
    """A button of Explore's list of files, which is opened where it is not."""
    button = tab.get_by_role("button", name=label, exact=True)
    if not button.is_visible():
        tab.get_by_role("button", name="Save", exact=True).click()
    button.wait_for()
    return button


def downloaded_map(tab: Page, folder: Path, method: str = "Voxel atlas (baseline)") -> tuple[str, nib.Nifti1Image]:
    """The file's name and its content, which is laid into `folder`. method: by its title."""
    wait_for_maps(tab)
    script_over(tab)  # else what comes into the page moves the button from under the mouse
    with tab.expect_download() as download:
        to_save(tab, f"{method}, NIfTI").click()
    download.value.save_as(folder / "map.nii.gz")
    return download.value.suggested_filename, nib.load(folder / "map.nii.gz")
