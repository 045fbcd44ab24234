"""One server of the app and one chromium for all tests of a process; each test opens pages of its own."""

import os

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.support.server import chromium, served
from tests.support.waiting import PATIENCE_SECONDS

expect.set_options(timeout=1000 * PATIENCE_SECONDS)


@pytest.fixture(scope="session")
def address(tiny_checkpoint_folder):
    """Of a server of the app with the tiny checkpoint."""
    with served(env=os.environ | {"VAEAD_CHECKPOINTS": str(tiny_checkpoint_folder.parent), "VAEAD_SHIPPED": "off"}) as address:
        yield address


@pytest.fixture(scope="session")
def browser():
    """Opens tabs; they share what the browser keeps of the app's scripts, as a reader's tabs do."""
    with sync_playwright() as driver:
        browser = chromium(driver)
        window = browser.new_context(viewport={"width": 1440, "height": 900})
        window.set_default_timeout(1000 * PATIENCE_SECONDS)
        yield window
        browser.close()
