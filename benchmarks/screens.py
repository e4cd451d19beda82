"""How smoothly and how soon screens show a game.

    python benchmarks/screens.py > screens.json      (on a display, or under xvfb-run)

Pictures drawn a second of 60 asked, for a whole session of Breakout with its panel, for Breakout alone and
for 84x84 pixels that all change; milliseconds from a key to the picture that shows its effect, drawn; and
what a picture costs the session. Medians of three runs, with the runs. The browser is Chromium without a
display, which draws without a GPU; the window counts what was drawn, and has no keys.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import skipjack
from skipjack.cli.watch import WatchFlags, watched
from skipjack.native.scene import Image, Rectangle, Scene
from skipjack.view.film import Nobody
from skipjack.view.screen import Screen

RUNS, SECONDS, RATE = 3, 6.0, 60

Pictures = Callable[[], Scene]


def breakout() -> Pictures:
    """A game with its wall whole, one step a picture."""
    vector = skipjack.make("breakout", num_envs=1)
    vector.reset(1)

    def following() -> Scene:
        vector.step([0])
        return vector.engine.scene(0)

    return following


def foreign() -> Pictures:
    """Frames of noise, as large as Atari's after preprocessing."""
    noise = np.random.default_rng(1).integers(0, 256, (64, 84, 84, 3), np.uint8)
    frames = iter(range(10**9))
    return lambda: Scene(84, 84).add(Image(0, 0, 84, 84, noise[next(frames) % len(noise)]))


def session() -> Pictures:
    """Breakout as it is watched: a baseline plays, with its panel."""
    held = contextlib.ExitStack()
    watching = watched("baseline:breakout", WatchFlags(envs=1), held)
    last: list[Scene] = []
    watching.screen = type("Last", (Nobody,), {"show": lambda self, scene: last.append(scene)})()

    def following() -> Scene:
        watching.frame(time.perf_counter())
        return last.pop()

    return following


def play(screen: Screen, pictures: Pictures, seconds: float) -> dict[str, float]:
    """Show pictures at the rate asked; a field in the corner is lit while the left key is down."""
    costs, late = [], 0
    begin = time.perf_counter()
    for tick in range(int(seconds * RATE)):
        lit = "left" in screen.poll().held
        scene = pictures()
        side = scene.width / 20
        scene.add(Rectangle(0, 0, side, side, (255, 255, 255) if lit else (0, 0, 0)))
        before = time.perf_counter()
        screen.show(scene)
        costs.append(time.perf_counter() - before)
        rest = begin + (tick + 1) / RATE - time.perf_counter()
        late += rest < 0
        time.sleep(max(rest, 0))
    return {"show_ms": 1000 * statistics.median(costs), "late_ticks": late}


WATCH = """
const drawn = [], delays = [];
window.seen = { drawn, delays, press };  // Playwright sees no other names
let down = false, asked = null;
function press() {
  down = !down;
  asked = performance.now();
  const key = { key: "ArrowLeft", code: "ArrowLeft" };
  window.dispatchEvent(new KeyboardEvent(down ? "keydown" : "keyup", key));
}
function look() {  // right after a drawing
  drawn.push(performance.now());
  if (asked === null) return;
  const pixel = document.querySelector("canvas").getContext("2d").getImageData(2, 2, 1, 1).data[0];
  if ((pixel > 127) !== down) return;
  delays.push(performance.now() - asked);
  asked = null;
  setTimeout(press, 100 + 100 * Math.random());
}
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (words) {
  send.call(this, words);
  if (words.startsWith("drawn")) look();
};
"""
"""Around the page's own script: counts its drawings and, once told to press, times keys."""


def browser(pictures: Pictures, keys: bool) -> dict[str, float]:
    """One run in Chromium, with keys or without: reading pixels back costs drawings."""
    from playwright.sync_api import sync_playwright

    from skipjack.view.server import Browser

    screen = Browser("screens", port=0)
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("google-chrome")
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = chromium.new_page()
        page.add_init_script(WATCH)
        page.goto(screen.url)
        play(screen, pictures, 1.0)
        page.evaluate("keys => { seen.drawn.length = 0; if (keys) seen.press(); }", keys)
        found = play(screen, pictures, SECONDS)
        times, delays = page.evaluate("[seen.drawn, seen.delays]")
        chromium.close()
    screen.close()
    found["pictures_per_second"] = (len(times) - 1) / (times[-1] - times[0]) * 1000
    if keys:
        found["key_to_picture_ms"] = statistics.median(delays)
        found["key_to_picture_ms_95"] = float(np.quantile(delays, 0.95))
        found["keys"] = len(delays)
    return found


def window(pictures: Pictures, keys: bool) -> dict[str, float]:
    """One run in a window; `show` returns when the picture is drawn."""
    from skipjack.view.window import Window

    if keys:
        return {}
    screen = Window("screens", 988, 500)
    play(screen, pictures, 1.0)
    began = time.perf_counter()
    found = play(screen, pictures, SECONDS)
    found["pictures_per_second"] = SECONDS * RATE / (time.perf_counter() - began)
    screen.close()
    return found


def measured(run: Callable[[], dict[str, float]]) -> dict[str, Any]:
    """Medians of several runs, and the runs."""
    runs = [run() for _ in range(RUNS)]
    medians = {name: round(statistics.median(one[name] for one in runs), 3) for name in runs[0]}
    return medians | {"runs": runs}


def main() -> None:
    """Measure every screen and print JSON."""
    found: dict[str, Any] = {}
    for name, screen in {"browser": browser, "window": window}.items():
        for game in (session, breakout, foreign):
            for keys in (False, True):
                label = f"{name} {game.__name__}{' keys' if keys else ''}"
                found[label] = measured(lambda: screen(game(), keys))  # noqa: B023 - called at once
                shown = {key: value for key, value in found[label].items() if key != "runs"}
                print(label, shown, file=sys.stderr)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
