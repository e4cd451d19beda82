"""What `play` and `watch` share: where a session is shown, and saying so."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from skipjack.config import Within
from skipjack.errors import must
from skipjack.native.scene import Scene
from skipjack.view.panel import size
from skipjack.view.screen import Screen

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class ScreenFlags:
    """Flags that say where a session is shown, and how fast."""

    browser: bool = False
    """Open a page for a browser instead of a window; works without a display."""
    port: Annotated[int, Within(0, 65535)] = 0
    """Port of the page; 0 takes 8017, or one that is free."""
    host: str = LOOPBACK
    """Address that the page is served on. Others than 127.0.0.1 let other machines in."""
    speed: Annotated[float, Within(0.01, 256.0)] = 1.0
    """Multiple of the environment's own pace."""


@contextlib.contextmanager
def opened(title: str, picture: Scene, own: ScreenFlags) -> Iterator[Screen]:
    """A window, or a browser's page whose link is printed; closed at the end.

    Args:
        title: of the window or page.
        picture: one of the env: the window fits it.
        own: the command's flags.

    Raises:
        UsageError: a host without --browser.
        SkipjackError: there is no display, or a package is missing.
    """
    if not own.browser and (own.host != LOOPBACK or own.port):
        raise must("--host and --port must come with --browser", host=own.host, port=own.port)
    screen: Any
    if own.browser:
        from skipjack.view.server import Browser

        screen = Browser(title, host=own.host, port=own.port or None)
        if screen.warning:
            print(f"skipjack: {screen.warning}", file=sys.stderr)
        print(f"Open {screen.url} in a browser. Ctrl-C ends it.", flush=True)
    else:
        from skipjack.view.window import Window

        screen = Window(title, *map(round, size(picture)))
    with contextlib.closing(screen):
        yield screen
