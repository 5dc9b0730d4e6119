"""The report in a real browser: on a phone and a desk, light and dark, by keyboard, and without a network."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.integration.browser import CHROMIUM, opened
from tests.reports import crowded_page, page

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

VIEWS = [(width, scheme) for width in (360, 1280) for scheme in ("light", "dark")]

TOO_WIDE = """[...document.querySelectorAll("body *")]
  .filter(e => !e.parentElement.closest(".scroll, svg, .unseen") && e.getBoundingClientRect().right > innerWidth + 1)
  .map(e => e.outerHTML.slice(0, 120))"""

PALE = """(() => {
  const canvas = document.createElement("canvas"); canvas.width = canvas.height = 1;
  const pen = canvas.getContext("2d", {willReadFrequently: true});
  const paint = colours => {
    pen.clearRect(0, 0, 1, 1);
    for (const colour of colours) { pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1); }
    return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = rgb => rgb.map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const found = [];
  for (const e of document.querySelectorAll("main *")) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || !e.getClientRects().length || e.closest(".unseen")) continue;
    const under = [];
    for (let a = e; a; a = a.parentElement) under.unshift(getComputedStyle(a).backgroundColor);
    const back = paint(under), style = getComputedStyle(e);
    const [a, b] = [light(back), light(paint([...under, e.closest("svg") ? style.fill : style.color]))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found.push(ratio.toFixed(2) + " " + e.outerHTML.slice(0, 120));
  }
  return [...new Set(found)];
})()"""


async def _render(file: Path, width: int, scheme: str) -> dict[str, Any]:
    async with opened() as tab:
        await tab.open(file, width, scheme)
        seen = {
            "width": await tab.value("innerWidth"),
            "page": await tab.value("document.documentElement.scrollWidth"),
            "too wide": await tab.value(TOO_WIDE),
            "pale": await tab.value(PALE),
            "paper": await tab.value("getComputedStyle(document.body).backgroundColor"),
            "headings": await tab.value("[...document.querySelectorAll('h1, h2')].map(e => e.innerText)"),
            "unreachable": await tab.value(
                "[...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth && e.tabIndex < 0)"
                ".length"
            ),
            "empty images": await tab.value(
                "[...document.querySelectorAll('.frame svg')].filter(e => e.getBoundingClientRect().width < 60).length"
            ),
        }
        await tab.press_tab()
        seen["focus"] = await tab.value(
            "[document.activeElement.tagName, getComputedStyle(document.activeElement).outlineStyle]"
        )
        return seen | {"requests": tab.requests}


@pytest.mark.parametrize(("width", "scheme"), VIEWS)
def test_a_crowded_page_fits_and_can_be_read(tmp_path: Path, width: int, scheme: str) -> None:
    file = tmp_path / "report.html"
    file.write_text(crowded_page(), encoding="utf-8")
    seen = asyncio.run(_render(file, width, scheme))
    assert seen["width"] == width
    assert seen["page"] <= width
    assert seen["too wide"] == []
    assert seen["pale"] == []
    assert seen["unreachable"] == 0
    assert seen["empty images"] == 0
    assert seen["paper"] == {"light": "rgb(247, 248, 249)", "dark": "rgb(20, 23, 26)"}[scheme]
    assert seen["focus"] == ["A", "solid"]
    assert [address for address in seen["requests"] if not address.startswith(("file:", "data:"))] == []
    for heading in ("Where it fails", "Precision and recall", "Which classes are confused", "Questions by type"):
        assert heading in seen["headings"]


@pytest.mark.parametrize("both", [True, False])
def test_the_page_of_one_model_is_laid_out_like_that_of_two(tmp_path: Path, both: bool) -> None:
    file = tmp_path / "report.html"
    file.write_text(page(both), encoding="utf-8")
    seen = asyncio.run(_render(file, 360, "dark"))
    assert seen["page"] <= 360
    assert seen["too wide"] == seen["pale"] == []
