"""What the pages showed when a test failed, in its report."""

import pytest
from playwright.sync_api import Error


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed and "browser" in item.funcargs:
        report.sections += [(f"page {page.url}", _seen(page)) for page in item.funcargs["browser"].pages]
    return report


def _seen(page) -> str:
    try:
        return page.locator("body").inner_text(timeout=10_000)
    except Error as error:
        return str(error)
