"""Who may come to the browser's page: where it listens, under which link, and whom it lets in."""

from __future__ import annotations

import contextlib
import ipaddress
import re
import secrets
import socket
from collections.abc import Awaitable, Callable

from aiohttp import web

from skipjack.errors import UsageError, must

PORT = 8017
"""Taken if it is free and no other is asked for."""

WARNING = (
    "Other machines can connect to port {port}: whoever has the link can watch and press keys, and "
    "nothing that is sent is encrypted. An SSH tunnel (ssh -L {port}:127.0.0.1:{port} HOST) needs neither."
)

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

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Door:
    """An address to listen on, and the token that opens it.

    Attributes:
        listening: the socket, bound and listening.
        port: the one that was had.
        url: the link that opens the page.
        warning: what the user must know, or nothing.
    """

    def __init__(self, host: str, port: int | None) -> None:
        self.host = host
        self.listening = _listen(host, port)
        self.port: int = self.listening.getsockname()[1]
        self.token = secrets.token_urlsafe(18)
        name = socket.gethostname() if host in ("", "0.0.0.0", "::") else host
        name = f"[{name}]" if ":" in name else name
        self.url = f"http://{name}:{self.port}/?token={self.token}"
        self.warning = "" if _is_loopback(host) else WARNING.format(port=self.port)

    @web.middleware
    async def guard(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Let through who has the token, under a name that is this machine's, from the page itself."""
        host = request.headers.get("Host", "")
        if not self._is_own(host):
            raise web.HTTPForbidden(text=f"This machine is not {host}: {LINK}")
        token = request.query.get("token", "")
        if not secrets.compare_digest(token.encode(errors="replace"), self.token.encode()):
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


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Give every answer, refusals too, the headers that keep the page to itself."""
    response.headers.update(HEADERS)


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
