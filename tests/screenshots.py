"""`python -m tests.screenshots`: every page at two sizes into docs/pages/, and whether one scrolls sideways."""

from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.support.server import chromium, served
from tests.support.waiting import wait_for_maps

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "pages"
SIZES = ((1440, 900), (1024, 768))
# Tables and charts are drawn after the page is told that it is done.
DRAWN = """() => !document.querySelector("[data-testid=stSkeleton]")
    && [...document.querySelectorAll("[data-testid=stDataFrame]")].every(table => table.querySelector("canvas"))
    && [...document.querySelectorAll("[data-testid=stPlotlyChart]")].every(chart => chart.querySelector(".main-svg"))"""
PAGES = ("explore", "toy_lab", "cohort", "benchmark", "latent_space", "checkpoints")


def main() -> None:
    """Writes docs/pages/<page>_<width>.png; raises when a page is wider than its window."""
    FOLDER.mkdir(exist_ok=True)
    with served() as address, sync_playwright() as driver:
        browser = chromium(driver)
        for width, height in SIZES:
            for page in PAGES:
                tab = browser.new_page(viewport={"width": width, "height": height})
                tab.goto(f"{address}/{'' if page == 'explore' else page}")
                settle(tab, page)
                tab.screenshot(path=FOLDER / f"{page}_{width}.png")
                wide = tab.evaluate("document.documentElement.scrollWidth - innerWidth")
                print(f"{page} {width} x {height}")
                if wide > 0:
                    raise SystemExit(f"{page} is {wide} pixels wider than its window of {width}")
                tab.close()
        browser.close()


def settle(tab: Page, page: str) -> None:
    """Returns when the page shows what it has to show; two toys are planted in the lab."""
    if page in ("explore", "toy_lab"):
        wait_for_maps(tab)
    for count in (1, 2) if page == "toy_lab" else ():
        tab.get_by_role("button", name="Random").click()
        tab.get_by_text(f"Toys: {count}.").wait_for()
        wait_for_maps(tab)
    tab.get_by_text("Research use only").first.wait_for(timeout=60_000)
    if page == "latent_space":
        tab.get_by_text("its nearest healthy slices").wait_for(timeout=60_000)
    tab.locator("[data-testid=stStatusWidget]").wait_for(state="detached", timeout=120_000)
    tab.wait_for_function(DRAWN, timeout=120_000)
    tab.mouse.move(600, 20)
    tab.wait_for_timeout(2000)


if __name__ == "__main__":
    main()
