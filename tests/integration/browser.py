"""A headless Chromium that renders pages for a test, by the DevTools protocol."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.waiting import PATIENCE_SECONDS

__all__ = ["CHROMIUM", "Tab", "opened"]

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
"""The program, None where it is not installed."""

_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--remote-debugging-port=0"),
)
_MIDDLE = """(e => {{
  if (!e) return null;
  e.scrollIntoView({{block: "center"}});
  const r = e.getBoundingClientRect(), x = r.x + r.width / 2, y = r.y + r.height / 2;
  return e.contains(document.elementFromPoint(x, y)) ? [x, y] : null;
}})({})"""
"""The middle of an element, null where it does not exist or something covers it."""


class Tab:
    """One tab of the browser; ``requests`` are the addresses that its pages requested."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket, self._numbers = socket, itertools.count(1)
        self._loaded: set[str] = set()
        self.requests: list[str] = []

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol and return its result."""
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (message := await self._next()).get("id") != number:
                pass
        assert "result" in message, message
        result: dict[str, Any] = message["result"]
        return result

    async def open(self, page: Path | str, width: int, scheme: str) -> None:
        """Open a file or an address at a width in pixels, in the colour scheme ``light`` or ``dark``."""
        screen = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
        await self.call("Emulation.setDeviceMetricsOverride", **screen)
        await self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        await self.call("Page.enable")
        await self.call("Page.setLifecycleEventsEnabled", enabled=True)
        await self.call("Network.enable")
        opened = await self.call("Page.navigate", url=page if isinstance(page, str) else page.as_uri())
        async with asyncio.timeout(PATIENCE_SECONDS):
            # This page and no other: that of before may be loading still.
            while opened["loaderId"] not in self._loaded:
                await self._next()

    async def value(self, script: str) -> Any:
        """Return the value of an expression of JavaScript."""
        result = await self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    async def until(self, script: str) -> None:
        """Wait until an expression of JavaScript is true."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await self.value(script):
                await asyncio.sleep(0.1)

    async def upload(self, selector: str, file: Path) -> None:
        """Choose a file in an input of the page."""
        document = await self.call("DOM.getDocument")
        found = await self.call("DOM.querySelector", nodeId=document["root"]["nodeId"], selector=selector)
        await self.call("DOM.setFileInputFiles", nodeId=found["nodeId"], files=[str(file)])

    async def click(self, selector: str) -> None:
        """Click into the middle of an element with the mouse, when it does not move and nothing covers it."""
        element = f"document.querySelector({json.dumps(selector)})"
        before, middle = None, await self.value(_MIDDLE.format(element))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while middle is None or middle != before:
                await asyncio.sleep(0.1)
                before, middle = middle, await self.value(_MIDDLE.format(element))
        x, y = middle
        for kind in ("mousePressed", "mouseReleased"):
            await self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    async def image(self) -> bytes:
        """Return the whole page as a PNG file."""
        size = (await self.call("Page.getLayoutMetrics"))["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        taken = await self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        return base64.b64decode(taken["data"])

    async def press_tab(self) -> None:
        """Press the tabulator key."""
        for kind in ("keyDown", "keyUp"):
            await self.call("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)

    async def _next(self) -> dict[str, Any]:
        """Return the next message, and keep what it reports of the page."""
        message: dict[str, Any] = await self._socket.receive_json()
        event, parameters = message.get("method"), message.get("params", {})
        if event == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif event == "Page.lifecycleEvent" and parameters["name"] == "load":
            self._loaded.add(parameters["loaderId"])
        return message


@asynccontextmanager
async def opened() -> AsyncIterator[Tab]:
    """Start a browser with a fresh profile and end it."""
    assert CHROMIUM is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        quiet = asyncio.subprocess.DEVNULL
        program = await asyncio.create_subprocess_exec(
            CHROMIUM, *_FLAGS, f"--user-data-dir={profile}", "about:blank", stdout=quiet, stderr=quiet
        )
        try:
            port = await _port(Path(profile, "DevToolsActivePort"))
            async with aiohttp.ClientSession() as session:
                address = await _page(session, port)
                async with session.ws_connect(address, max_msg_size=0) as socket:
                    yield Tab(socket)
        finally:
            program.kill()
            await program.wait()


async def _port(file: Path) -> int:
    """Wait until the browser has written down the port that it listens to."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (file.is_file() and "\n" in file.read_text()):
            await asyncio.sleep(0.05)
    return int(file.read_text().split()[0])


async def _page(session: aiohttp.ClientSession, port: int) -> str:
    """Wait until the browser has its first page and return where it listens."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            async with session.get(f"http://127.0.0.1:{port}/json") as answer:
                tabs = json.loads(await answer.text())
            for tab in tabs:
                if tab["type"] == "page":
                    return str(tab["webSocketDebuggerUrl"])
            await asyncio.sleep(0.05)
