"""The checkpoints page in a browser: what a hostile upload can do to a reader."""

import pytest
from playwright.sync_api import expect

from tests.support.contents import archive

HOSTILE = """# <script>window.attacked = 1</script> card
<img src=x onerror="window.attacked = 2"> <iframe src="https://elsewhere.example/frame"></iframe>
[click](javascript:window.attacked=3) <javascript:window.attacked=4>
![tracked](https://elsewhere.example/pixel.png) ![by reference][pixel] ![pixel] ![pixel][]
\\![escaped](https://elsewhere.example/escaped.png) !\\[half](https://elsewhere.example/half.png)
<https://elsewhere.example/auto> https://elsewhere.example/bare www.elsewhere.example a@elsewhere.example :material/home: $x^2$
<svg onload="window.attacked = 5"></svg> <style>* { display: none }</style>

[pixel]: https://elsewhere.example/reference.png
"""


@pytest.mark.shows(15)
def test_a_hostile_card_runs_nothing_and_calls_nobody(address, browser, checkpoints):
    called: list[str] = []
    tab = browser.new_page()
    tab.set_viewport_size({"width": 1024, "height": 768})
    tab.on("request", lambda request: called.append(request.url))
    tab.goto(f"{address}/checkpoints")
    expect(tab.get_by_text("What you upload or train is seen by you alone")).to_be_visible()
    tab.get_by_role("radio", name="Upload").click()
    content = archive(checkpoints / "tiny", "hostile", README_md=HOSTILE)
    tab.locator("input[type=file]").set_input_files({"name": "h.zip", "mimeType": "application/zip", "buffer": content})
    expect(tab.get_by_text("hostile was checked")).to_be_visible()
    tab.get_by_role("radio", name="Inspect").click()
    tab.get_by_role("combobox", name="Checkpoint").click()
    tab.get_by_role("option", name="hostile (yours)").click()
    card = tab.locator("[data-testid=stHtml] .card", has_text="tracked")
    expect(card).to_contain_text("[click](javascript:window.attacked=3)")
    expect(card).to_contain_text("https://elsewhere.example/bare www.elsewhere.example a@elsewhere.example :material/home: $x^2$")
    assert card.locator("a, img, script, iframe, svg, style, .katex").count() == 0
    assert tab.evaluate("window.attacked") is None
    assert not [url for url in called if "elsewhere.example" in url]
    assert tab.evaluate("document.querySelector('.stMain').scrollWidth <= document.querySelector('.stMain').clientWidth")
    tab.close()
