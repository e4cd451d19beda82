"""Makes the pictures of docs/watch.md: every game as it is watched, the window and the browser.

    python docs/pictures.py

Needs a display (or `xvfb-run python docs/pictures.py`), Debian's chromium and `pip install "skipjack[all]"
playwright`. Policies are the baselines.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from skipjack import registry
from skipjack.baseline import PREFIX
from skipjack.cli.watch import WatchFlags, watched
from skipjack.native.raster import render
from skipjack.view.panel import BACKGROUND, size
from skipjack.view.video import save_png

FOLDER = Path(__file__).parent
COLUMNS, WIDTH = 3, 640
STEPS = {
    "breakout": 700,
    "pong": 120,
    "cartpole": 60,
    "connect_four": 17,
    "game_2048": 300,
    "tic_tac_toe": 4,
}


@contextlib.contextmanager
def session(name: str) -> Iterator[Any]:
    """A baseline in an env of its own."""
    with contextlib.ExitStack() as held:
        yield watched(PREFIX + name, WatchFlags(envs=1, seed=1), held)


def games() -> None:
    """One picture of all games, side by side."""
    pictures = []
    for name in registry.GAMES:
        with session(name) as playing:
            for _ in range(STEPS.get(name, 3)):
                playing.step()
            pictures.append(render(playing.compose(playing.pictures[-1]), WIDTH))
    tall = max(len(picture) for picture in pictures)
    rows = -(-len(pictures) // COLUMNS)
    sheet = np.full((rows * tall, COLUMNS * WIDTH, 3), BACKGROUND, np.uint8)
    for index, picture in enumerate(pictures):
        y, x = index // COLUMNS * tall, index % COLUMNS * WIDTH
        sheet[y : y + len(picture), x : x + WIDTH] = picture
    small = Image.fromarray(sheet).quantize(64, dither=Image.Dither.NONE)
    small.save(FOLDER / "games.png", optimize=True)


def window() -> None:
    """The window, as it is on the display."""
    import raylib

    from skipjack.view.window import Window

    with session("breakout") as playing:
        screen = Window("breakout", *map(round, size(playing.pictures[-1])))
        for _ in range(450):
            playing.step()
        for _ in range(3):
            screen.poll()
            screen.show(playing.compose(playing.pictures[-1]))
        found = raylib.LoadImageFromScreen()
        pixels = raylib.ffi.buffer(found.data, found.width * found.height * 4)
        shape = found.height, found.width, 4
        save_png(FOLDER / "window.png", np.frombuffer(pixels, np.uint8).reshape(shape)[..., :3])
        screen.close()


def browser() -> None:
    """Pong, played in a browser."""
    from playwright.sync_api import sync_playwright

    command = [sys.executable, "-m", "skipjack", "play", "pong", "--browser", "--every-tick"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd="/tmp")
    assert process.stdout is not None
    url = process.stdout.readline().split()[1]
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = chromium.new_page(viewport={"width": 1020, "height": 620})
        page.goto(url)
        time.sleep(4)
        page.screenshot(path=FOLDER / "browser.png")
        chromium.close()
    process.wait()


if __name__ == "__main__":
    games()
    window()
    browser()
