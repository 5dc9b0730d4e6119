"""The demo page in a real browser: an image is dropped, a task chosen, and the answers of two models are drawn."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from florence2.codec import TASKS
from florence2.config import EvaluationConfig
from florence2.serving.demo.models import named_models
from florence2.serving.demo.page import build_page, serve_page
from tests.builders import write_mistaken, write_stars
from tests.integration.browser import CHROMIUM, Tab, opened
from tests.integration.test_page_in_browser import PALE

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

BLUE, RED_BROWN = (0x1C, 0x6D, 0xD0), (0xC2, 0x41, 0x0C)
"""The first two colours of classes."""

DRAWN = """(() => {
  const count = image => {
    const canvas = document.createElement("canvas"), pen = canvas.getContext("2d");
    canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;
    pen.drawImage(image, 0, 0);
    const found = {}, data = pen.getImageData(0, 0, canvas.width, canvas.height).data;
    for (let i = 0; i < data.length; i += 4) {
      const key = data.slice(i, i + 3).join(); found[key] = (found[key] || 0) + 1;
    }
    return found;
  };
  return [...document.querySelectorAll(".answer img")].map(count);
})()"""

LOADED = """(n => { const found = [...document.querySelectorAll(".answer img")];
  return found.length == n && found.every(e => e.complete && e.naturalWidth > 0); })"""


TOPS = "[...document.querySelectorAll('.answer')].map(e => Math.round(e.getBoundingClientRect().top))"


@pytest.fixture(scope="module")
def stars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_stars(tmp_path_factory.mktemp("set"), each=1) / "test"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A page with two models, of which the second calls red stars blue ones; images of at most 200 kB."""
    mistaken = write_mistaken(tmp_path_factory.mktemp("models") / "challenger", {"red": "blue", "blue": "red"})
    page = build_page(named_models(["builtin:nano", str(mistaken)]), EvaluationConfig(max_new_tokens=60))
    yield serve_page(page, "127.0.0.1", 0, 0.2)
    page.close(verbose=False)


FIELD = "document.querySelector('#text textarea, #text input')"
WRITTEN = "[...document.querySelectorAll('.answer textarea')].map(e => e.value)"


async def drop(tab: Tab, address: str, file: Path, width: int, scheme: str) -> None:
    await tab.open(address, width, scheme)
    await tab.until("!!document.querySelector('#ask') && !!document.querySelector('input[type=file]')")
    await tab.upload("input[type=file]", file)
    await tab.until("!!document.querySelector('.image-frame img')")


async def choose(tab: Tab, token: str) -> None:
    await tab.click("#task input")
    title = f"{TASKS[token].title} ({token})"
    await tab.click(f"[role=option][aria-label='{title}']")
    await tab.until(f"document.querySelector('#task input').value == '{title}'")


async def render(address: str, file: Path, width: int, scheme: str) -> dict[str, Any]:
    async with opened() as tab:
        await drop(tab, address, file, width, scheme)
        seen: dict[str, Any] = {
            "field before": await tab.value("!!document.querySelector('#text textarea, #text input')")
        }
        await tab.value("document.querySelector('#ask').click()")
        await tab.until(f"{LOADED}(2)")
        await tab.until("document.querySelectorAll('.answer td').length >= 6")
        await tab.until("[...document.querySelectorAll('.answer textarea')].every(e => e.value.includes('<loc_'))")
        seen |= {
            "drawn": await tab.value(DRAWN),
            "answers": await tab.value("[...document.querySelectorAll('.answer')].map(e => e.innerText)"),
            "written": await tab.value(WRITTEN),
            "tops": await tab.value(TOPS),
            "page": await tab.value("document.documentElement.scrollWidth"),
            "pale": await tab.value(PALE),
        }
        await choose(tab, "<VQA>")
        await tab.until(f"!!{FIELD}")
        await tab.value(f"{FIELD}.focus()")
        await tab.call("Input.insertText", text="what colour is the star?")
        await tab.value("document.querySelector('#ask').click()")
        await tab.until(
            "[...document.querySelectorAll('.answer textarea')].every(e => e.value && !e.value.includes('<'))"
        )
        await tab.until("!document.querySelector('.answer td')")
        seen |= {
            "words": await tab.value(WRITTEN),
            "tables": await tab.value("document.querySelectorAll('.answer td').length"),
            "page with words": await tab.value("document.documentElement.scrollWidth"),
        }
        return seen | {"requests": tab.requests}


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_two_models_answer_side_by_side(address: str, stars: Path, width: int, scheme: str) -> None:
    seen = asyncio.run(render(address, stars / "red-star-0.png", width, scheme))
    assert not seen["field before"]
    champion, challenger = seen["drawn"]
    # "blue star" comes before "red star", so it has the first colour in both images.
    assert champion.get(",".join(map(str, RED_BROWN)), 0) > 500 > champion.get(",".join(map(str, BLUE)), 0)
    assert challenger.get(",".join(map(str, BLUE)), 0) > 500
    assert "red star" in seen["answers"][0]
    assert "blue star" in seen["answers"][1]
    assert seen["answers"][0].startswith("builtin:nano\n")
    assert all("<loc_" in text for text in seen["written"])
    assert (len(set(seen["tops"])) == 1) == (width == 1280), "side by side where there is room"
    assert max(seen["page"], seen["page with words"]) <= width
    assert seen["pale"] == []
    assert seen["words"] == ["red star", "blue star"]
    assert seen["tables"] == 0
    hosts = {request.split("/")[2] for request in seen["requests"] if request.startswith(("http", "ws"))}
    assert hosts == {address.split("/")[2]}


async def refused(address: str, file: Path) -> str:
    async with opened() as tab:
        await drop(tab, address, file, 1280, "light")
        await tab.value("document.querySelector('#ask').click()")
        await tab.until("!!document.querySelector('.toast-body')")
        return str(await tab.value("document.querySelector('.toast-body').innerText"))


def test_a_file_that_is_no_image_is_reported_in_a_sentence(address: str, tmp_path: Path) -> None:
    (tmp_path / "no.png").write_bytes(b"no image")
    message = asyncio.run(refused(address, tmp_path / "no.png"))
    assert "this image: " in message
    assert "replace the file by an image that viewers can show" in message
    assert "/tmp" not in message


async def post(address: str, content: bytes) -> tuple[int, str]:
    form = aiohttp.FormData()
    form.add_field("files", content, filename="a.png")
    async with aiohttp.ClientSession() as session, session.post(f"{address}gradio_api/upload", data=form) as answer:
        return answer.status, await answer.text()


def test_a_file_over_the_limit_is_refused_by_the_server(address: str) -> None:
    assert asyncio.run(post(address, bytes(150_000)))[0] == 200
    assert asyncio.run(post(address, bytes(250_000)))[0] == 413


def test_the_page_is_of_one_model_where_one_is_named() -> None:
    async def answers_of(address: str) -> int:
        async with opened() as tab:
            await tab.open(address, 360, "light")
            await tab.until("!!document.querySelector('#ask')")
            return int(await tab.value("document.querySelectorAll('.answer').length"))

    page = build_page(named_models(["builtin:nano"]))
    try:
        assert asyncio.run(answers_of(serve_page(page, "127.0.0.1", 0, 1))) == 1
    finally:
        page.close(verbose=False)
