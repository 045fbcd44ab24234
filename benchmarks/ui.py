"""`python -m benchmarks.ui [SCAN]`: the app in chromium, on the sample or on an uploaded scan; prints a table.

Work is what a frame costs the page: handling the event, drawing every panel, rasterising (read back from each canvas).
Interval is the time between frames while each one changes the picture; a screen of 60 Hz allows no less than 16.7 ms.
"""

import sys
import time

import numpy as np
from playwright.sync_api import Page, Request, sync_playwright

from tests.support.server import chromium, served
from tests.support.waiting import wait_for_maps

STEPS = 60
RERUNS = 5
TOYS = 12
DRAG_SECONDS = 5
ACTS = {
    "scroll": "target.dispatchEvent(new WheelEvent('wheel', { deltaY: step % 40 < 20 ? 120 : -120, cancelable: true }))",
    "threshold drag": "target.value = 300 + 10 * (step % 60); target.dispatchEvent(new Event('input'))",
    "crosshair": "target.dispatchEvent(new PointerEvent('pointermove', place(step)))",
}
SOLID_ACTS = ACTS | {"scroll": ACTS["scroll"].replace("120", "12")}  # the wheel zooms, a drag turns
MEASURE = """
async (target, steps) => {
  const canvases = [...target.getRootNode().querySelectorAll('.view canvas')];
  const frame = (then) => new Promise((done) => requestAnimationFrame(() => done(then())));
  const box = target.getBoundingClientRect();
  const place = (step) => ({
    clientX: box.x + box.width * (0.3 + 0.006 * (step % 60)), clientY: box.y + box.height * 0.5, pointerId: 1, bubbles: true,
  });
  const found = [];
  if (target.tagName === 'CANVAS') target.setPointerCapture = () => {};
  if (CROSSHAIR) target.dispatchEvent(new PointerEvent('pointerdown', place(0)));
  for (let step = 0; step < steps; step += 1) {
    const before = frame(() => performance.now());
    const start = performance.now();
    ACT;
    const handled = performance.now() - start;
    const end = await frame(() => {
      for (const canvas of canvases) canvas.getContext('2d').getImageData(0, 0, 1, 1);
      return performance.now();
    });
    found.push({ work: handled + end - (await before), latency: end - start, end });
  }
  return found;
}
"""

PLANT = """
async (target, [across, down]) => {
  const box = target.getBoundingClientRect(), viewer = target.getRootNode().querySelector('.viewer');
  const curves = () => document.querySelector('.js-plotly-plot .main-svg'), known = curves();
  const place = { clientX: box.x + box.width * across, clientY: box.y + box.height * down, pointerId: 1, bubbles: true };
  target.setPointerCapture = () => {};
  const start = performance.now();
  target.dispatchEvent(new PointerEvent('pointerdown', place));
  target.dispatchEvent(new PointerEvent('pointerup', place));
  let loading = false;
  for (;;) {
    await new Promise((done) => requestAnimationFrame(done));
    loading ||= viewer.dataset.state === 'loading';
    if (loading && viewer.dataset.state === 'drawn' && curves() && curves() !== known) return performance.now() - start;
  }
}
"""


def main(scan: str | None) -> None:
    """Prints one line an act and layout, what the viewer's volumes cost, page switches and planted toys."""
    with served() as address, sync_playwright() as driver:
        browser = chromium(driver, bare=False)
        tab = browser.new_page(viewport={"width": 1440, "height": 900})
        traffic = Traffic(tab, address)
        tab.goto(address)
        wait_for_maps(tab)
        if scan:
            print(f"upload to maps {upload(tab, traffic, scan):.1f} s")
        print(f"{'':34}{'work ms':>9}{'95 %':>8}{'latency':>9}{'interval':>10}{'messages':>10}")
        for layout in ("Axial", "Planes", "Mosaic"):
            tab.get_by_role("button", name=layout, exact=True).click()
            for act, script in ACTS.items():
                report(tab, traffic, layout, act, script)
        tab.get_by_role("button", name="3-D", exact=True).click()
        for act, script in SOLID_ACTS.items():
            report(tab, traffic, "3-D", act, script)
        tab.get_by_role("button", name="Axial", exact=True).click()
        payload(tab, traffic)
        report_toys(tab)
        browser.close()


class Traffic:
    """What a tab sends and fetches."""

    def __init__(self, tab: Page, address: str) -> None:
        self.sent = self.received = 0
        self.fetched: list[str] = []
        self._media = f"{address}/media/"
        tab.on("request", self._fetch)
        tab.on("websocket", self._listen)

    def _fetch(self, request: Request) -> None:
        if request.url.startswith(self._media):
            self.fetched.append(request.url)

    def _listen(self, socket) -> None:
        socket.on("framesent", lambda _: self._count(sent=1))
        socket.on("framereceived", lambda frame: self._count(received=len(frame)))

    def _count(self, sent: int = 0, received: int = 0) -> None:
        self.sent += sent
        self.received += received


def upload(tab: Page, traffic: Traffic, scan: str) -> float:
    """Seconds from the chosen file to its maps on the screen: scan, reconstruction and three maps are fetched anew."""
    before, start = len(traffic.fetched), time.perf_counter()
    tab.locator("input[type=file]").set_input_files(scan)
    while len(traffic.fetched) < before + 5 and time.perf_counter() < start + 120:
        tab.wait_for_timeout(20)
    tab.locator(".viewer[data-state=loading]").wait_for(state="detached")
    return time.perf_counter() - start


def report(tab: Page, traffic: Traffic, layout: str, act: str, does: str) -> None:
    """One line: medians over STEPS frames of one act."""
    target = tab.locator(".panel .threshold" if act == "threshold drag" else ".panel .view canvas").first
    script = MEASURE.replace("ACT;", f"{does};").replace("CROSSHAIR", str(act == "crosshair").lower())
    sent = traffic.sent
    frames = target.evaluate(script, STEPS)
    tab.wait_for_timeout(300)
    work, latency, end = (np.array([frame[name] for frame in frames]) for name in ("work", "latency", "end"))
    numbers = f"{np.median(work):9.1f}{np.quantile(work, 0.95):8.1f}{np.median(latency):9.1f}{np.median(np.diff(end)):10.1f}"
    print(f"{layout + ', ' + act:34}{numbers}{traffic.sent - sent:10}")


def payload(tab: Page, traffic: Traffic) -> None:
    """What reruns of the page fetch and receive once the viewer has its volumes."""
    first, received = list(traffic.fetched), traffic.received
    for step in range(RERUNS):
        box = tab.locator(".panel .view canvas").first.bounding_box()
        if box is None:
            raise LookupError("no view is on the screen")
        tab.mouse.click(box["x"] + box["width"] * (0.4 + 0.03 * step), box["y"] + box["height"] / 2)
        tab.wait_for_timeout(700)
    again = len(traffic.fetched) - len(first)
    print(f"volumes fetched {len(first)}, each once: {len(first) == len(set(first))}; again in {RERUNS} reruns: {again}")
    print(f"received a rerun: {(traffic.received - received) / RERUNS / 1000:.1f} kB")


def report_toys(tab: Page) -> None:
    """Page switches, and toys planted by a click: one slice long, and as long as their kind has it at first."""
    switches = [switch(tab, name) for _ in range(RERUNS) for name in ("Toy lab", "Explore")]
    switch(tab, "Toy lab")
    whole = [planted(tab, step) for step in range(TOYS)]
    length = tab.get_by_role("slider", name="Length, mm")
    length.press("Home")
    tab.get_by_role("button", name="Clear", exact=True).click()
    tab.get_by_text("Click in a picture, or press Random").wait_for()
    slices = [planted(tab, step) for step in range(TOYS)]
    print(f"previews a second while a toy is dragged: {previews(tab):.1f}")
    print(f"{'':34}{'median ms':>10}{'least':>8}{'most':>8}")
    rows = {"page switch": switches[2:], "toy of one slice to maps and PR": slices[1:], "toy of 50 mm to maps and PR": whole[1:]}
    for name, seconds in rows.items():
        times = 1000 * np.array(seconds)
        print(f"{name:34}{np.median(times):10.0f}{times.min():8.0f}{times.max():8.0f}")


def switch(tab: Page, name: str) -> float:
    """Seconds from a click on a page's name to its viewer drawn."""
    start = time.perf_counter()
    tab.get_by_role("link", name=name).click()
    tab.get_by_role("heading", name=name).wait_for()
    tab.locator(".viewer[data-state=drawn]").wait_for(timeout=60_000)
    return time.perf_counter() - start


def previews(tab: Page) -> float:
    """How many times a second the maps of a slice follow a toy that is dragged, by all methods that are shown."""
    tab.get_by_role("button", name="Clear", exact=True).click()
    tab.get_by_text("Click in a picture, or press Random").wait_for()
    planted(tab, 5)
    box = tab.locator(".panel .view canvas").first.bounding_box()
    if box is None:
        raise LookupError("no view is on the screen")
    drawn = "(viewer) => Number(viewer.dataset.previews ?? 0)"
    viewer, start = tab.locator(".viewer"), (box["x"] + 0.43 * box["width"], box["y"] + 0.46 * box["height"])
    tab.mouse.move(*start)
    tab.mouse.down()
    before, began = viewer.evaluate(drawn), time.perf_counter()
    while time.perf_counter() < began + DRAG_SECONDS:
        across = (time.perf_counter() - began) / DRAG_SECONDS
        tab.mouse.move(start[0] + 0.2 * across * box["width"], start[1])
        tab.wait_for_timeout(20)
    found = (viewer.evaluate(drawn) - before) / (time.perf_counter() - began)
    tab.mouse.up()
    return found


def planted(tab: Page, step: int) -> float:
    """Seconds, in the page, from a click in the scan to its maps and its curves drawn. The first one is not warm."""
    target = tab.locator(".panel .view canvas").first
    seconds = target.evaluate(PLANT, [0.3 + 0.13 * (step % 4), 0.3 + 0.16 * (step // 4)]) / 1000
    tab.wait_for_timeout(700)
    return seconds


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
