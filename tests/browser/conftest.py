"""One server of the app and one chromium for all tests of a process; each test opens pages of its own."""

import os

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.support.server import CHROMIUM, served

expect.set_options(timeout=60_000)  # a busy machine is slow, and waiting costs nothing where nothing is wrong


@pytest.fixture(scope="session")
def address(tiny_checkpoint_folder):
    """Of a server of the app with the tiny checkpoint."""
    with served(env=os.environ | {"VAEAD_CHECKPOINTS": str(tiny_checkpoint_folder.parent), "VAEAD_SHIPPED": "off"}) as address:
        yield address


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        yield browser
        browser.close()
