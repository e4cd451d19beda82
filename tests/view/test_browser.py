"""The page in a real Chromium: it draws, its keys arrive, it comes and goes."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from skipjack.games.moba.picture import EDGE, MAP, SIDE
from skipjack.native.scene import Circle, Image, Line, Rectangle, Scene, Sprite, Text
from skipjack.run.config import configure
from skipjack.view import panel
from skipjack.view.keys import Keyboard
from skipjack.view.screen import KEYS
from skipjack.view.session import Session
from skipjack.view.world import World

MUST_SEE = bool(os.environ.get("CI") or os.environ.get("SKIPJACK_MUST_SEE"))
"""Then what is missing is a failure."""

RED, GREEN, BLUE, GREY = (255, 0, 0), (0, 255, 0), (0, 0, 255), (40, 40, 40)


def needed(have: Any, what: str) -> None:
    if not have and MUST_SEE:
        pytest.fail(f"{what} must be there")
    if not have:
        pytest.skip(f"{what} is missing")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    try:
        import aiohttp  # noqa: F401
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        needed(False, str(error.name))
        raise
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
        needed(path or os.path.exists(own), "Chromium (apt-get install chromium)")
        root = hasattr(os, "geteuid") and os.geteuid() == 0
        made = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"] * root)
        yield made
        made.close()


@pytest.fixture
def browser(chromium: Any) -> Iterator[Any]:
    from skipjack.view.server import Browser

    made = Browser("A game", port=0)
    yield made
    made.close()


class Tab:
    """A tab that looks at a browser screen, and what went wrong in it."""

    def __init__(self, chromium: Any, browser: Any, size: tuple[int, int], ratio: float) -> None:
        viewport = {"width": size[0], "height": size[1]}
        self.browser = browser
        self.context = chromium.new_context(viewport=viewport, device_scale_factor=ratio)
        self.page = self.context.new_page()
        self.faults: list[str] = []
        self.addresses: list[str] = []
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", lambda asked: self.addresses.append(asked.url))
        before = browser.watchers
        self.page.goto(browser.url)
        browser.show(Scene(4, 3))
        self.until(lambda: browser.watchers > before and all(w.drawn for w in browser._watchers))

    def _said(self, message: Any) -> None:
        if "willReadFrequently" not in message.text:  # a hint at what `pixels` does
            self.faults.append(message.text)

    def until(self, condition: Callable[[], Any]) -> None:
        """Wait; the page lives on meanwhile."""
        end = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < end, "it did not happen"
            self.page.wait_for_timeout(10)

    def show(self, scene: Scene) -> None:
        """Show a scene and wait until it is drawn."""
        (watcher,) = self.browser._watchers
        before = watcher.sent
        self.browser.show(scene)
        self.until(lambda: watcher.drawn > before)

    def pixels(self) -> np.ndarray[Any, Any]:
        """All of the canvas (rows, columns, 4)."""
        width, height, data = self.page.evaluate(
            """() => {
                const canvas = document.querySelector("canvas");
                const { width, height } = canvas;
                if (!width) throw Error("nothing is drawn");
                const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
                return [width, height, Array.from(data)];
            }"""
        )
        return np.array(data, np.uint8).reshape(height, width, 4)

    def box(self) -> tuple[float, float, float, float]:
        """Where the canvas is in the window."""
        found = self.page.locator("canvas").bounding_box()
        return found["x"], found["y"], found["width"], found["height"]

    def line(self) -> str:
        return self.page.locator("[role=status]").inner_text()


def hang_up(browser: Any) -> None:
    """Lose the connection."""
    (watcher,) = browser._watchers
    browser._loop.call_soon_threadsafe(watcher.transport.abort)


@pytest.fixture
def open_tab(chromium: Any, browser: Any) -> Iterator[Callable[..., Tab]]:
    tabs: list[Tab] = []

    def make(size: tuple[int, int] = (400, 300), ratio: float = 1) -> Tab:
        tabs.append(Tab(chromium, browser, size, ratio))
        return tabs[-1]

    yield make
    for tab in tabs:
        tab.context.close()
        assert tab.faults == []
        assert all(address.startswith(browser.url.partition("?")[0]) for address in tab.addresses)


# ---- drawing ----


def test_every_primitive_is_drawn_where_it_belongs(open_tab: Callable[..., Tab]) -> None:
    leaf = np.zeros((1, 2, 4), np.uint8)
    leaf[0, 1] = (0, 255, 0, 255)
    scene = Scene(40, 30, GREY, sprites={"leaf": leaf}).add(
        Rectangle(1, 1, 4, 2, RED),
        Circle(12, 4, 2, BLUE),
        Line(20, 1, 20, 9, 1, GREEN),
        Rectangle(30, 1, 4, 4, RED),
        Rectangle(30, 1, 4, 4, (0, 0, 255, 128)),
        Sprite(2, 10, 4, 4, "leaf"),
        Sprite(9, 10, 4, 4, "nothing of this name"),
        Text(2, 20, "words", 6, RED),
        Text(36, 25, "\ud83d", 4, RED),
        Circle(float("nan"), 3, 50, RED),
        Circle(3, 3, -1, RED),
        Rectangle(0, 0, float("inf"), 9, RED),
    )
    tab = open_tab()
    tab.show(scene)
    pixels = tab.pixels()
    assert pixels.shape == (300, 400, 4)
    for x, y, colour in [
        (0, 0, GREY),
        (10, 10, RED), (49, 29, RED), (50, 29, GREY), (49, 30, GREY),
        (120, 40, BLUE), (102, 40, BLUE), (98, 40, GREY), (104, 24, GREY),
        (197, 50, GREEN), (203, 50, GREEN), (193, 50, GREY), (200, 93, GREY),
        (320, 30, (127, 0, 128)),
        (30, 120, GREY), (41, 101, GREEN), (59, 139, GREEN), (100, 120, GREY),
    ]:  # fmt: skip
        assert np.abs(pixels[y, x, :3] - np.array(colour)).max() <= 1, (x, y, pixels[y, x])
    rows, columns = np.nonzero(pixels[180:, :300, 0] > 200)
    assert 180 + rows.min() >= 200
    assert 180 + rows.max() < 260
    assert 20 <= columns.min() < 30
    assert columns.max() > 100


@pytest.mark.parametrize("ratio", [1, 2])
def test_an_image_keeps_every_pixel(open_tab: Callable[..., Tab], ratio: int) -> None:
    """A foreign env's frame in a window of its size; on a fine display each pixel is a square."""
    image = np.random.default_rng(1).integers(0, 256, (84, 84, 3), np.uint8)
    tab = open_tab((84, 84), ratio)
    tab.show(Scene(84, 84).add(Image(0, 0, 84, 84, image)))
    pixels = tab.pixels()
    assert (pixels[..., :3] == image.repeat(ratio, 0).repeat(ratio, 1)).all()
    assert tab.box() == (0, 0, 84, 84)


def test_images_of_one_picture_do_not_mix(open_tab: Callable[..., Tab]) -> None:
    made = [np.full((2, 3 - i, 3), 50 + 100 * i, np.uint8) for i in range(2)]
    tab = open_tab((60, 20))
    tab.show(Scene(6, 2).add(Image(0, 0, 3, 2, made[0]), Image(3, 0, 3, 2, made[1])))
    pixels = tab.pixels()
    assert (pixels[:, :30, 0] == 50).all()
    assert (pixels[:, 30:, 0] == 150).all()


def test_the_picture_fills_the_window_with_its_proportions(open_tab: Callable[..., Tab]) -> None:
    tab = open_tab((500, 300))
    tab.show(Scene(40, 30, RED))
    assert tab.box() == (50, 0, 400, 300)
    tab.page.set_viewport_size({"width": 200, "height": 400})
    tab.until(lambda: tab.box() == (0, 125, 200, 150))
    assert (tab.pixels()[..., :3] == RED).all()


def test_what_it_is_can_be_heard(open_tab: Callable[..., Tab]) -> None:
    tab = open_tab()
    assert tab.page.title() == "A game"
    assert tab.page.get_by_role("img", name="A game").count() == 1
    assert tab.page.locator("html").get_attribute("lang") == "en"


# ---- keys ----


def test_a_key_goes_down_and_up(open_tab: Callable[..., Tab], browser: Any) -> None:
    tab = open_tab()
    tab.page.keyboard.down("ArrowLeft")
    tab.page.keyboard.down("ArrowLeft")  # as a key that is held repeats
    tab.page.keyboard.down("a")
    tab.until(lambda: browser._held() == {"left", "a"})
    assert browser.poll().pressed == ("left", "a")
    tab.page.keyboard.up("ArrowLeft")
    tab.until(lambda: browser._held() == {"a"})
    tab.page.evaluate("window.dispatchEvent(new Event('blur'))")
    tab.until(lambda: not browser._held())
    assert browser.poll().pressed == ()


def test_every_key_has_its_name(open_tab: Callable[..., Tab], browser: Any) -> None:
    others = {
        "plus": "+", "minus": "-", "period": ".", "comma": ",",
        "bracketleft": "[", "bracketright": "]",
        **{name: f"Arrow{name.capitalize()}" for name in ("left", "right", "up", "down")},
    }  # fmt: skip
    tab = open_tab()
    for name in KEYS:
        tab.page.keyboard.press(others.get(name, name if len(name) == 1 else name.capitalize()))
    seen: list[str] = []
    tab.until(lambda: seen.extend(browser.poll().pressed) or len(seen) == len(KEYS))
    assert tuple(seen) == KEYS


LAYOUTS = [
    ("z", "KeyY", "z"),  # a German layout: the letter that it writes
    ("W", "KeyW", "w"),
    ("ф", "KeyA", "a"),  # a Cyrillic one: where the letter is
    ("&", "Digit1", "1"),  # a French one
    ('"', "Digit2", "2"),  # with shift
    ("_", "Minus", "minus"),
    ("=", "Equal", "plus"),
    ("7", "Numpad7", "7"),
    ("Enter", "NumpadEnter", "enter"),
    (" ", "", "space"),
    ("F12", "F12", None),
    ("Dead", "Backquote", None),
    ("Home", "Home", None),
    ("constructor", "toString", None),
]


def test_layouts(open_tab: Callable[..., Tab], browser: Any) -> None:
    tab = open_tab()
    kept = tab.page.evaluate(
        """(layouts) => layouts.map(([key, code]) => !window.dispatchEvent(
            new KeyboardEvent("keydown", { key, code, cancelable: true })))""",
        LAYOUTS,
    )
    tab.page.keyboard.press("q")
    seen: list[str] = []
    tab.until(lambda: seen.extend(browser.poll().pressed) or "q" in seen)
    assert seen == [name for _, _, name in LAYOUTS if name] + ["q"]
    assert kept == [name is not None for _, _, name in LAYOUTS], (
        "the page scrolls on keys of a game"
    )


def test_shift_is_either_of_two_and_shortcuts_are_the_browsers(
    open_tab: Callable[..., Tab], browser: Any
) -> None:
    tab = open_tab()
    keyboard = tab.page.keyboard
    keyboard.down("ShiftLeft")
    keyboard.down("ShiftRight")
    keyboard.up("ShiftLeft")
    keyboard.down("Control")
    keyboard.press("a")
    keyboard.up("Control")
    keyboard.press("b")
    tab.until(lambda: "b" in browser._pressed)
    seen = browser.poll()
    assert seen.pressed == ("shift", "b")
    assert seen.held >= {"shift"}
    keyboard.up("ShiftRight")
    tab.until(lambda: not browser._held())


def test_keys_move_the_paddle(open_tab: Callable[..., Tab], browser: Any) -> None:
    """A whole session, from the key in the page to the paddle in its next picture."""
    world = World(configure("breakout"))
    keyboard = Keyboard(world.vector.action)
    playing = Session(world, browser, None, {0: keyboard})
    tab = open_tab()

    def paddle() -> float:
        playing.frame(time.perf_counter())
        return max(playing.pictures[-1].items, key=lambda item: item.y).x

    middle = paddle()
    tab.page.keyboard.down("ArrowLeft")
    tab.until(lambda: paddle() < middle - 20)
    tab.page.keyboard.up("ArrowLeft")
    tab.page.keyboard.down("d")
    tab.until(lambda: paddle() > middle + 20)
    tab.page.close()
    deadline = time.monotonic() + 20
    while not playing.over:  # the last tab is gone: the session ends
        assert time.monotonic() < deadline
        playing.frame(time.perf_counter())
        time.sleep(0.01)
    world.close()


# ---- mouse ----


@pytest.mark.parametrize("ratio", [1, 2])
@pytest.mark.parametrize("button", ["left", "right"])
def test_a_click_is_told_in_units_of_the_scene(
    open_tab: Callable[..., Tab], browser: Any, ratio: int, button: str
) -> None:
    tab = open_tab((500, 300), ratio)
    tab.show(Scene(40, 30, RED))
    tab.page.mouse.click(50 + 120, 90, button=button)
    seen: list[Any] = []
    tab.until(lambda: seen.extend(browser.poll().clicks) or seen)
    assert seen == [pytest.approx((12, 9), abs=0.11)]
    tab.page.mouse.click(10, 10)  # beside the picture
    tab.page.keyboard.press("a")
    tab.until(lambda: "a" in browser._pressed)
    assert browser.poll().clicks == ()


def test_the_wheel_is_told_in_notches(open_tab: Callable[..., Tab], browser: Any) -> None:
    """Away from the person is up; small turns of a touch pad add up."""
    tab = open_tab()
    tab.show(Scene(40, 30, RED))
    tab.page.mouse.move(200, 150)
    for turns, wheel in (((-100,), 1), ((100,), -1), ((40, 40, 40), -1), ((-2000,), 1)):
        seen: list[int] = []
        for turn in turns:
            tab.page.mouse.wheel(0, turn)
        tab.until(lambda seen=seen: seen.append(browser.poll().wheel) or any(seen))
        tab.page.wait_for_timeout(50)
        assert sum(seen) + browser.poll().wheel == wheel


def test_a_click_in_the_page_sends_a_hero(open_tab: Callable[..., Tab], browser: Any) -> None:
    """A whole session, from the click on the MOBA's small map to the hero that goes there."""
    world = World(configure("moba/small"), creep_count=0)
    playing = Session(world, browser, None, {0: Keyboard(world.vector.action)})
    tab = open_tab((988, 800))
    engine: Any = world.vector.engine
    for _ in range(3):
        playing.frame(time.perf_counter())
    x, y = SIDE + 2 * EDGE + MAP / 2, EDGE + MAP / 2
    picture = playing.pictures[-1]
    tall = panel.size(picture)[1] - panel.TOP - panel.BOTTOM
    left, top, scale = picture.fitted(panel.MARGIN, panel.TOP, panel.PICTURE, tall)
    width, height = panel.size(picture)
    on_page = min(988 / width, 800 / height)
    place = tab.box()
    tab.until(lambda: tab.box() != place or tab.box()[2] > 500)
    corner = tab.box()
    tab.page.mouse.click(
        corner[0] + (left + scale * x) * on_page, corner[1] + (top + scale * y) * on_page
    )

    def far() -> int:
        playing.frame(time.perf_counter())
        unit = engine.snapshot(0)["entities"][1]
        return max(abs(unit["y"] // 256 - 24), abs(unit["x"] // 256 - 24))

    assert far() > 10
    tab.until(lambda: far() <= 1)
    world.close()


# ---- coming and going ----


def test_a_closed_tab_frees_the_session(open_tab: Callable[..., Tab], browser: Any) -> None:
    tab, other = open_tab(), open_tab()
    assert browser.watchers == 2
    tab.page.keyboard.down("a")
    tab.until(lambda: browser._held() == {"a"})
    tab.page.close()
    other.until(lambda: browser.watchers == 1)
    assert browser.poll().held == frozenset()
    other.page.close()
    deadline = time.monotonic() + 20
    while not browser.poll().closed:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_page_that_is_loaded_again_goes_on(open_tab: Callable[..., Tab], browser: Any) -> None:
    tab = open_tab((40, 30))
    sprites = {"dot": np.full((1, 1, 3), 255, np.uint8)}
    tab.show(Scene(40, 30, RED, sprites=sprites))
    tab.page.keyboard.down("a")
    before = set(browser._watchers)
    tab.page.reload()
    tab.until(lambda: [watcher.drawn for watcher in browser._watchers - before] == [1])
    assert before.isdisjoint(browser._watchers)
    assert (tab.pixels()[..., :3] == RED).all(), "the newest picture comes by itself"
    tab.show(Scene(40, 30, RED, sprites=sprites).add(Sprite(0, 0, 40, 30, "dot")))
    assert (tab.pixels() == 255).all(), "and so do sprites"
    assert not browser._held()
    tab.page.keyboard.press("b")
    tab.until(lambda: "b" in browser.poll().pressed)
    assert not browser.poll().closed


def test_a_key_that_is_held_outlasts_the_connection(
    open_tab: Callable[..., Tab], browser: Any
) -> None:
    tab = open_tab()
    tab.page.keyboard.down("a")
    tab.page.keyboard.down("b")
    tab.until(lambda: browser._held() == {"a", "b"})
    hang_up(browser)
    tab.until(lambda: not browser._held())
    tab.page.keyboard.up("b")
    tab.until(lambda: browser._held() == {"a"})


def test_a_lost_connection_is_told_and_made_again(
    open_tab: Callable[..., Tab], browser: Any
) -> None:
    tab = open_tab((40, 30))
    tab.show(Scene(40, 30, RED))
    hang_up(browser)
    tab.until(lambda: "connection is lost" in tab.line())
    tab.until(lambda: browser.watchers == 1 and not tab.line())
    assert (tab.pixels()[..., :3] == RED).all()
    tab.show(Scene(40, 30, GREEN))
    assert (tab.pixels()[..., :3] == GREEN).all()
    assert not browser.poll().closed


def test_the_end_is_told_and_final(open_tab: Callable[..., Tab], browser: Any) -> None:
    tab = open_tab()
    browser.close()
    tab.until(lambda: tab.line() == "The session has ended.")
    tab.page.wait_for_timeout(1000)  # longer than a page waits before it connects again
    assert tab.line() == "The session has ended."


LISTEN = """() => {
window.heard = [];
const start = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function (when) {
    window.heard.push([when, this.buffer.sampleRate, Array.from(this.buffer.getChannelData(0))]);
    return start.call(this, when);
};
}"""


def test_a_page_is_heard_from_the_first_key_on(open_tab: Callable[..., Tab], browser: Any) -> None:
    tab = open_tab()
    tab.page.evaluate(LISTEN)
    browser.hear(np.full(512, 255, np.uint8), 30720)  # nobody may be surprised by a page's noise
    tab.show(Scene(8, 6))  # comes after it
    tab.page.keyboard.press("a")
    tab.until(lambda: "a" in browser.poll().pressed)
    assert tab.page.evaluate("heard") == []
    browser.hear(np.array([0, 128, 192] * 512, np.uint8), 30720)
    browser.hear(np.full(512, 64, np.uint8), 30720)
    tab.until(lambda: len(tab.page.evaluate("heard")) == 2)
    (begins, rate, first), (then, _, second) = tab.page.evaluate("heard")
    assert rate == 30720
    assert first == [-1, 0, 0.5] * 512
    assert second == [-0.5] * 512
    assert then - begins == pytest.approx(1536 / 30720)
    assert not tab.faults
