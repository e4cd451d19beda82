"""A browser as a screen: one small page, served by a thread of its own.

Pictures go to the page as `wire` has them. From it come lines of text: `down KEY`, `up KEY`, and
`drawn N`, the number of pictures that had arrived when it last drew. Each watcher gets the newest
picture whenever fewer than `AHEAD` of its pictures are on their way; so a slow one leaves pictures out,
and neither the session nor the others wait for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import html
import ipaddress
import logging
import re
import secrets
import socket
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

from skipjack.errors import UsageError, missing, must
from skipjack.native.scene import Scene
from skipjack.view import wire
from skipjack.view.screen import KEYS, Input

try:
    from aiohttp import WSCloseCode, WSMsgType, web
except ImportError:
    raise missing("aiohttp", "web", what="Showing a game in a browser") from None

PORT = 8017
"""Taken if it is free and no other is asked for."""

GRACE = 2.0
"""Seconds without a watcher until nobody looks any more: reloading a page takes less."""

AHEAD = 3
"""Pictures on their way to a watcher: one to be drawn, the others for the time that the way takes."""

MOST_WATCHERS = 8

MOST_MESSAGES = 300
"""From a watcher within a second; a page that draws 60 pictures while keys are hammered sends 100."""

LONGEST = 64
"""Bytes of a message from a watcher."""

CLOSING = 0.3
"""Seconds that a watcher has to agree to the end of its connection."""

HEARTBEAT = 10.0
"""Seconds between looks whether a silent watcher is still there."""

WARNING = (
    "Other machines can connect to port {port}: whoever has the link can watch and press keys, and "
    "nothing that is sent is encrypted. An SSH tunnel (ssh -L {port}:127.0.0.1:{port} HOST) needs neither."
)

PAGE = Path(__file__).parent / "page"

FILES = {
    "/": ("index.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
}

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",  # the token is in the page's address
    "X-Content-Type-Options": "nosniff",
}

LINK = "open the whole link that was printed."

_log = logging.getLogger(__name__)
_log.addHandler(logging.NullHandler())  # the terminal is the user's

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


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

    request: web.Request
    socket: web.WebSocketResponse
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    sprites: dict[str, Any] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
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


class Browser:
    """A `Screen` in as many browser tabs as look at it.

    Args:
        title: the page's.
        host: address to listen on. Any but a loopback address lets other machines connect; `warning`
            then has a sentence to print.
        port: where to listen, 0 for any that is free; by default `PORT`, or any if that is taken.

    Attributes:
        url: the link to open, with its token; nothing is served without it.
        warning: what the user must know, or nothing.

    Raises:
        UsageError: the host or the port cannot be had.
    """

    def __init__(self, title: str, host: str = "127.0.0.1", port: int | None = None) -> None:
        self.title, self.host = title, host
        self._listening = _listen(host, port)
        self.port: int = self._listening.getsockname()[1]
        self._token = secrets.token_urlsafe(18)
        name = socket.gethostname() if host in ("", "0.0.0.0", "::") else host
        name = f"[{name}]" if ":" in name else name
        self.url = f"http://{name}:{self.port}/?token={self._token}"
        self.warning = "" if _is_loopback(host) else WARNING.format(port=self.port)
        self._lock = threading.Lock()  # holds together what keys and watchers say
        self._watchers: set[_Watcher] = set()
        self._alone: float | None = None  # since when; nobody came yet
        self._pressed: deque[str] = deque(maxlen=256)  # bounded, should the session not look
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
        """What the keyboards did since the last call, all watchers' taken together."""
        with self._lock:
            pressed = tuple(self._pressed)
            self._pressed.clear()
            held = self._held()
            alone = self._alone is not None and time.monotonic() - self._alone > GRACE
        return Input(pressed, held, closed=alone or not self._thread.is_alive())

    def show(self, scene: Scene) -> None:
        """Make a scene the newest picture; one that looks like the last is not sent again."""
        picture = _Picture(wire.picture(scene), dict(scene.sprites))
        if self._picture is None or not self._picture.shows(picture):
            self._picture = picture
            self._call(self._wake)

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
        app = web.Application(middlewares=[self._guard])
        app.on_response_prepare.append(_add_headers)
        app.add_routes([web.get(path, self._file) for path in FILES])
        app.add_routes([web.get("/socket", self._talk)])
        runner = web.AppRunner(app, access_log=None, logger=_log, shutdown_timeout=CLOSING)
        await runner.setup()
        await web.SockSite(runner, self._listening).start()
        started.set_result(loop)
        await self._ended.wait()
        over = [
            _dismiss(watcher, WSCloseCode.OK, "The session has ended.")
            for watcher in self._watchers
        ]
        await asyncio.gather(*over)
        await runner.cleanup()

    @web.middleware
    async def _guard(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Let through who has the token, under a name that is this machine's, from the page itself."""
        host = request.headers.get("Host", "")
        if not self._is_own(host):
            raise web.HTTPForbidden(text=f"This machine is not {host}: {LINK}")
        token = request.query.get("token", "")
        if not secrets.compare_digest(token.encode(errors="replace"), self._token.encode()):
            raise web.HTTPForbidden(text=f"The token is missing or wrong: {LINK}")
        origins = (f"http://{host}", f"https://{host}")
        if request.path == "/socket" and request.headers.get("Origin") not in origins:
            raise web.HTTPForbidden(text="Only the page itself may connect.")
        return await handler(request)

    def _is_own(self, host: str) -> bool:
        """Whether no stranger can make this name point here (DNS rebinding); addresses are safe."""
        name = re.sub(r":\d+$", "", host).strip("[]").lower()
        with contextlib.suppress(ValueError):
            return bool(ipaddress.ip_address(name))
        own = {"localhost", self.host.lower()}
        return name in own or (bool(self.warning) and name == socket.gethostname().lower())

    async def _file(self, request: web.Request) -> web.Response:
        name, kind = FILES[request.path]
        text = (PAGE / name).read_text(encoding="utf-8")
        if kind == "text/html":
            text = Template(text).substitute(title=html.escape(self.title), token=self._token)
        return web.Response(text=text, content_type=kind)

    async def _talk(self, request: web.Request) -> web.WebSocketResponse:
        """One watcher, from its coming to its going."""
        connection = web.WebSocketResponse(
            timeout=CLOSING, heartbeat=HEARTBEAT, compress=False, max_msg_size=LONGEST
        )
        await connection.prepare(request)
        watcher = _Watcher(request, connection)
        if len(self._watchers) >= MOST_WATCHERS:
            await _dismiss(watcher, WSCloseCode.TRY_AGAIN_LATER, "Too many watch already.")
            return connection
        with self._lock:
            self._watchers.add(watcher)
            self._alone = None
        sending = asyncio.create_task(self._send(watcher))
        try:
            async for message in connection:
                if watcher.too_many():
                    await _dismiss(watcher, WSCloseCode.POLICY_VIOLATION, "Too many messages.")
                elif message.type == WSMsgType.TEXT:
                    self._hear(watcher, message.data)
        finally:
            sending.cancel()
            with self._lock:
                self._watchers.discard(watcher)
                self._alone = None if self._watchers else time.monotonic()
            _hang_up(request)
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


def _listen(host: str, port: int | None) -> socket.socket:
    if port is not None and not 0 <= port <= 65535:
        raise must("The page's port must be between 0 and 65535", got=port)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for number in [PORT, 0] if port is None else [port]:
        try:
            return socket.create_server((host, number), family=family)
        except OSError as error:
            reason = error.strerror
    raise UsageError(
        f"The page needs a free port of this machine, but {number} of {host!r} cannot be had "
        f"({reason}). Name another port, or none: then one that is free is taken."
    )


def _is_loopback(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)


async def _dismiss(watcher: _Watcher, code: int, reason: str) -> None:
    """Close a connection with a reason, in time even if the other side does not read."""
    with contextlib.suppress(TimeoutError, ConnectionError):
        closing = watcher.socket.close(code=code, message=reason.encode())
        await asyncio.wait_for(closing, CLOSING)
    _hang_up(watcher.request)


def _hang_up(request: web.Request) -> None:
    """Drop a connection with what is still to be sent: who does not read would hold it for ever."""
    if request.transport:
        request.transport.abort()
