"""A browser as a screen: one small page, served by a thread of its own.

Pictures go to the page as `wire` has them. From it come lines of text: `down KEY`, `up KEY`, `click X Y` in
units of the picture, `wheel N`, and `drawn N`, the number of pictures that had arrived when it last drew.
Each watcher gets the newest picture whenever fewer than `AHEAD` of its pictures are on their way; so a slow
one leaves pictures out, and neither the session nor the others wait for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import html
import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack.errors import missing
from skipjack.native.scene import Scene
from skipjack.view import wire
from skipjack.view.screen import KEYS, Input

try:
    from aiohttp import WSCloseCode, WSMsgType, web
except ImportError:
    raise missing("aiohttp", "web", what="Showing a game in a browser") from None

from skipjack.view.door import Door, add_headers

GRACE = 2.0
"""Seconds without a watcher until nobody looks any more: reloading a page takes less."""

AHEAD = 3
"""Pictures on their way to a watcher: one to be drawn, the others for the time that the way takes."""

MOST_SOUNDS = 8
"""Pieces of sound that wait for a watcher; of more, the oldest are left out."""

MOST_WATCHERS = 8

MOST_MESSAGES = 300
"""From a watcher within a second; a page that draws 60 pictures while keys are hammered sends 100."""

LONGEST = 64
"""Bytes of a message from a watcher."""

CLOSING = 0.5
"""Seconds that a watcher has to agree to the end of its connection."""

HEARTBEAT = 10.0
"""Seconds between looks whether a silent watcher is still there."""

PAGE = Path(__file__).parent / "page"

FILES = {
    "/": ("index.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
}

_log = logging.getLogger(__name__)
_log.addHandler(logging.NullHandler())  # the terminal is the user's


@dataclass(frozen=True, slots=True)
class _Picture:
    message: bytes
    sprites: Mapping[str, Any]

    def shows(self, other: _Picture) -> bool:
        """Whether the other looks the same."""
        return self.message == other.message and all(
            self.sprites.get(name) is pixels for name, pixels in other.sprites.items()
        )


@dataclass(eq=False, slots=True)
class _Watcher:
    """A connection from a page."""

    transport: asyncio.Transport | None
    socket: web.WebSocketResponse
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    sprites: dict[str, Any] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    sounds: deque[bytes] = field(default_factory=lambda: deque(maxlen=MOST_SOUNDS))
    sent: int = 0
    drawn: int = 0
    second: float = 0.0
    messages: int = 0

    def too_many(self) -> bool:
        """Count a message; whether there were more than a page has a reason for."""
        now = time.monotonic()
        if now - self.second >= 1:
            self.second, self.messages = now, 0
        self.messages += 1
        return self.messages > MOST_MESSAGES

    async def dismiss(self, code: int, reason: str) -> None:
        """Close the connection with a reason, in time even if the other side does not read."""
        with contextlib.suppress(TimeoutError, ConnectionError):
            await asyncio.wait_for(self.socket.close(code=code, message=reason.encode()), CLOSING)
        self.hang_up()

    def hang_up(self) -> None:
        """Drop the connection and what is unsent, which would keep one who does not read."""
        if self.transport:
            self.transport.abort()


class Browser:
    """A `Screen` in as many browser tabs as look at it.

    Args:
        title: the page's.
        host: address to listen on. Any but a loopback address lets other machines connect; `warning`
            then has a sentence to print.
        port: where to listen, 0 for any that is free; by default `door.PORT`, or any if that is taken.

    Attributes:
        url: the link to open, with its token; nothing is served without it.
        warning: what the user must know, or nothing.

    Raises:
        UsageError: the host or the port cannot be had.
    """

    def __init__(self, title: str, host: str = "127.0.0.1", port: int | None = None) -> None:
        self.title = title
        self._door = Door(host, port)
        self.url, self.warning = self._door.url, self._door.warning
        self._lock = threading.Lock()  # holds together what keys and watchers say
        self._watchers: set[_Watcher] = set()
        self._alone: float | None = None  # since when; nobody came yet
        self._pressed: deque[str] = deque(maxlen=256)  # bounded, should the session not look
        self._clicks: deque[tuple[float, float]] = deque(maxlen=256)
        self._wheel = 0
        self._picture: _Picture | None = None
        self._ended = asyncio.Event()
        started: Future[asyncio.AbstractEventLoop] = Future()
        self._thread = threading.Thread(
            target=self._run, args=(started,), name="browser", daemon=True
        )
        self._thread.start()
        self._loop = started.result()

    @property
    def watchers(self) -> int:
        """How many tabs look at the moment."""
        return len(self._watchers)

    def poll(self) -> Input:
        """What keyboards and mice did since the last call, all watchers' taken together."""
        with self._lock:
            pressed = tuple(self._pressed)
            self._pressed.clear()
            clicks, wheel = tuple(self._clicks), self._wheel
            self._clicks.clear()
            self._wheel = 0
            held = self._held()
            alone = self._alone is not None and time.monotonic() - self._alone > GRACE
        closed = alone or not self._thread.is_alive()
        return Input(pressed, held, clicks, wheel, closed, away=not self.watchers)

    def show(self, scene: Scene) -> None:
        """Make a scene the newest picture; one that looks like the last is not sent again."""
        picture = _Picture(wire.picture(scene), dict(scene.sprites))
        if self._picture is None or not self._picture.shows(picture):
            self._picture = picture
            self._call(self._wake)

    def hear(self, samples: npt.NDArray[np.uint8], rate: int) -> None:
        """Send sound to all that look; who falls behind misses some."""
        self._call(lambda: self._sound(wire.sound(samples, rate)))

    def close(self) -> None:
        """Tell the watchers that it is over, and end the thread."""
        self._call(self._ended.set)
        self._thread.join(timeout=4 * CLOSING)

    def _call(self, what: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the thread has come to its end
            self._loop.call_soon_threadsafe(what)

    def _held(self) -> frozenset[str]:
        return frozenset().union(*(watcher.held for watcher in self._watchers))

    # What follows runs in the thread.

    def _run(self, started: Future[asyncio.AbstractEventLoop]) -> None:
        try:
            asyncio.run(self._serve(started))
        except Exception as error:
            if not started.done():
                started.set_exception(error)
            _log.debug("The server has failed.", exc_info=True)

    async def _serve(self, started: Future[asyncio.AbstractEventLoop]) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: _log.debug("%s", context))
        app = web.Application(middlewares=[self._door.guard])
        app.on_response_prepare.append(add_headers)
        app.add_routes([web.get(path, self._file) for path in FILES])
        app.add_routes([web.get("/socket", self._talk)])
        runner = web.AppRunner(app, access_log=None, logger=_log, shutdown_timeout=CLOSING)
        await runner.setup()
        await web.SockSite(runner, self._door.listening).start()
        started.set_result(loop)
        await self._ended.wait()
        over = "The session has ended."
        await asyncio.gather(*(each.dismiss(WSCloseCode.OK, over) for each in self._watchers))
        await runner.cleanup()

    async def _file(self, request: web.Request) -> web.Response:
        name, kind = FILES[request.path]
        text = (PAGE / name).read_text(encoding="utf-8")
        if kind == "text/html":
            text = Template(text).substitute(title=html.escape(self.title), token=self._door.token)
        return web.Response(text=text, content_type=kind)

    async def _talk(self, request: web.Request) -> web.WebSocketResponse:
        """One watcher, from its coming to its going."""
        connection = web.WebSocketResponse(
            timeout=CLOSING,
            heartbeat=HEARTBEAT,
            autoping=False,
            compress=False,
            max_msg_size=LONGEST,
        )
        await connection.prepare(request)
        watcher = _Watcher(request.transport, connection)
        if len(self._watchers) >= MOST_WATCHERS:
            await watcher.dismiss(WSCloseCode.TRY_AGAIN_LATER, "Too many watch already.")
            return connection
        with self._lock:
            self._watchers.add(watcher)
            self._alone = None
        sending = asyncio.create_task(self._send(watcher))
        try:
            async for message in connection:
                if watcher.too_many():
                    await watcher.dismiss(WSCloseCode.POLICY_VIOLATION, "Too many messages.")
                elif message.type == WSMsgType.TEXT:
                    self._hear(watcher, message.data)
                elif message.type == WSMsgType.PING:  # counted as all else is
                    await connection.pong(message.data)
        finally:
            sending.cancel()
            with self._lock:
                self._watchers.discard(watcher)
                self._alone = None if self._watchers else time.monotonic()
            watcher.hang_up()
        return connection

    def _hear(self, watcher: _Watcher, words: str) -> None:
        """Take in what a page says; what it has no reason to say is passed over."""
        verb, _, what = words.partition(" ")
        if verb == "drawn" and what.isdecimal():
            watcher.drawn = min(max(watcher.drawn, int(what)), watcher.sent)
            watcher.ready.set()
        elif verb == "down" and what in KEYS:
            with self._lock:
                if what not in self._held():
                    self._pressed.append(what)
                watcher.held.add(what)
        elif verb == "up":
            with self._lock:
                watcher.held.discard(what)
        elif verb in ("click", "wheel"):
            self._take_mouse(verb, what)

    def _take_mouse(self, verb: str, what: str) -> None:
        numbers = []
        with contextlib.suppress(ValueError):
            numbers = [float(word) for word in what.split()]
        if not all(map(math.isfinite, numbers)):
            return
        with self._lock:
            if verb == "click" and len(numbers) == 2:
                self._clicks.append((numbers[0], numbers[1]))
            elif verb == "wheel" and len(numbers) == 1:
                self._wheel += int(numbers[0] > 0) - int(numbers[0] < 0)

    def _sound(self, message: bytes) -> None:
        for watcher in self._watchers:
            watcher.sounds.append(message)
            watcher.ready.set()

    def _wake(self) -> None:
        for watcher in self._watchers:
            watcher.ready.set()

    async def _send(self, watcher: _Watcher) -> None:
        """Send the newest picture whenever there is one and the watcher keeps up."""
        last = None
        watcher.ready.set()
        with contextlib.suppress(ConnectionError):  # gone; its handler tidies up
            while await watcher.ready.wait():
                watcher.ready.clear()
                while watcher.sounds:
                    await watcher.socket.send_bytes(watcher.sounds.popleft())
                picture = self._picture
                if picture is None or picture is last or watcher.sent - watcher.drawn >= AHEAD:
                    continue
                last = picture
                for name, pixels in picture.sprites.items():
                    if watcher.sprites.get(name) is not pixels:
                        watcher.sprites[name] = pixels
                        await watcher.socket.send_bytes(wire.sprite(name, pixels))
                watcher.sent += 1
                await watcher.socket.send_bytes(picture.message)
