"""The built site: without a warning, without a network, from plain files, on a phone and a desk, light and dark."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.documents.blocks import ROOT
from tests.integration.browser import CHROMIUM, opened

in_browser = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

VIEWS = [(width, scheme) for width in (360, 1280) for scheme in ("light", "dark")]
FOREIGN = re.compile(r"<(?:script|img|iframe|source)\b[^>]*\bsrc=\"(?:https?:)?//|<link\b[^>]*\bhref=\"(?:https?:)?//")
OPTIONS = """[...document.querySelectorAll('article code .pre, article pre .na')]
  .filter(word => /^-{1,2}[a-z]/.test(word.innerText) && word.innerText.length <= 30)
  .map(word => [word.innerText, word.getClientRects().length > 1 ||
                                word.offsetHeight > 2.5 * parseFloat(getComputedStyle(word).fontSize)])"""
"""Every option that fits into a line, and whether it is broken into two."""


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-n", "-W", "--keep-going", "-q", "-d", f"{folder}/trees"]
    done = subprocess.run(
        [*command, str(ROOT / "docs"), f"{folder}/html"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder / "html"


def pages(site: Path) -> list[Path]:
    return sorted(page for page in site.rglob("*.html") if page.parts[-2] not in ("_downloads", "_static"))


def test_no_page_requests_another_host(site: Path) -> None:
    found = {page.name: FOREIGN.findall(page.read_text(encoding="utf-8")) for page in pages(site)}
    assert len(found) > 20
    assert {name: tags for name, tags in found.items() if tags} == {}
    styles = [file for file in site.rglob("*.css") if re.search(r"url\(['\"]?(https?:)?//|@import", file.read_text())]
    assert styles == []


def test_no_row_stands_outside_a_table(site: Path) -> None:
    loose = [page.name for page in pages(site) if "<p>|" in page.read_text(encoding="utf-8")]
    assert loose == []


async def _render(site: Path, width: int, scheme: str) -> tuple[dict[str, int], list[str]]:
    wide = {}
    async with opened() as tab:
        for page in pages(site):
            await tab.open(page, width, scheme)
            wide[page.relative_to(site).as_posix()] = await tab.value("document.documentElement.scrollWidth")
        return wide, tab.requests


@in_browser
@pytest.mark.parametrize(("width", "scheme"), VIEWS)
def test_every_page_fits_and_requests_files_alone(site: Path, width: int, scheme: str) -> None:
    wide, requests = asyncio.run(_render(site, width, scheme))
    assert {page: found for page, found in wide.items() if found > width} == {}
    assert [address for address in requests if not address.startswith(("file:", "data:"))] == []


async def _options(site: Path, width: int) -> dict[str, list[tuple[str, bool]]]:
    async with opened() as tab:
        found = {}
        for page in pages(site):
            await tab.open(page, width, "light")
            found[page.relative_to(site).as_posix()] = await tab.value(OPTIONS)
        return found


@in_browser
@pytest.mark.parametrize("width", [360, 1280])
def test_no_option_is_broken_at_the_end_of_a_line(site: Path, width: int) -> None:
    found = asyncio.run(_options(site, width))
    assert sum(map(len, found.values())) > 400
    broken = {page: [option for option, is_broken in options if is_broken] for page, options in found.items()}
    assert {page: options for page, options in broken.items() if options} == {}


async def _search(site: Path, words: str, wanted: str) -> list[str]:
    """Search until a result is the wanted one; they come one by one."""
    titles: Any = []
    async with opened() as tab:
        await tab.open(f"{(site / 'search.html').as_uri()}?q={words}", 1280, "light")
        for _ in range(600):
            titles = await tab.value("[...document.querySelectorAll('#search-results li a')].map(a => a.innerText)")
            if any(wanted in title for title in titles):
                break
            await asyncio.sleep(0.1)
    return list(titles)


@in_browser
@pytest.mark.parametrize(("words", "page"), [("resume", "Training"), ("rollback", "Retraining"), ("anls", "Tasks")])
def test_the_search_works_from_plain_files(site: Path, words: str, page: str) -> None:
    assert any(page in title for title in asyncio.run(_search(site, words, page)))
