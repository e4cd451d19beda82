"""The window, on a virtual display: what is seen there, which keys arrive, and what the mouse does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest

from skipjack.native.letters import plain
from skipjack.view.screen import DIGITS, KEYS
from skipjack.view.window import RAYLIB_KEYS
from tests.view.conftest import SIZE, Display, Other

SYMBOLS = {
    "left": "Left", "right": "Right", "up": "Up", "down": "Down", "enter": "Return", "tab": "Tab",
    "escape": "Escape", "backspace": "BackSpace", "shift": "Shift_L", "plus": "equal",
    **{f"f{number}": f"F{number}" for number in range(1, 11)},
}  # fmt: skip
"""X's names of keys where ours are others."""

# A round trip on the window's own connection: what was drawn before it is on the display after it.
SHOW = "w.show(scene); w._raylib.GetMonitorPosition(0)\n"
SETTLE = """
end = time.monotonic() + 5
while (w._raylib.GetScreenWidth(), w._raylib.GetScreenHeight()) != size and time.monotonic() < end:
    w.poll()
for _ in range(3):  # the first picture of a new size is still drawn into the old one
    w.poll()
    w.show(Scene(1, 1))
"""
LOOK = """
end = time.monotonic() + 5
pressed, answer = [], None
while answer != wanted and time.monotonic() < end:
    found = w.poll()
    pressed += found.pressed
    answer = [pressed, sorted(found.held), found.closed]
"""
WHITE, BLACK, RED, GREEN, BLUE = (255,) * 3, (0,) * 3, (255, 0, 0), (0, 255, 0), (0, 0, 255)
GROUND = (10, 20, 30)


@pytest.fixture
def window(display: Display, other: Other) -> Iterator[Other]:
    """A process with a window of 800 x 400."""
    other.run("w = Window('Skipjack', 800, 400); w.poll()")
    yield other
    other.run("w.close()")


def show(window: Other, display: Display, items: str, sprites: str = "{}") -> npt.NDArray[np.uint8]:
    """A scene of 200 x 100 with these items, as seen: four pixels a unit."""
    scene = f"scene = Scene(200, 100, {GROUND}, [{items}], {sprites})\n"
    window.run(scene + SHOW)
    return display.picture()


def look(
    window: Other, pressed: tuple[str, ...] = (), held: tuple[str, ...] = (), closed: bool = False
) -> None:
    """Poll until this is what was found, all in all; events need a moment, but none is lost."""
    wanted = [list(pressed), list(held), closed]
    assert window.run(f"wanted = {wanted!r}\n{LOOK}") == wanted


def holds(picture: npt.NDArray[np.uint8], colour: tuple[int, ...]) -> bool:
    return bool((picture == colour).all())


def test_shapes_are_where_they_belong(window: Other, display: Display) -> None:
    seen = show(
        window,
        display,
        f"Rectangle(10, 10, 20, 10, {RED}), Circle(60, 30, 10, {GREEN}), "
        f"Line(0, 90, 100, 90, 2, {BLUE}), Line(150, 60, 180, 90, 3, {WHITE}), "
        f"Rectangle(20, 15, 20, 10, {(*WHITE, 128)}), Rectangle(190, -5, 50, 10, {GREEN})",
    )
    assert seen.shape == (400, 800, 3)
    expected = np.full((400, 800, 3), GROUND, np.uint8)
    expected[40:80, 40:120] = RED
    expected[356:364, :400] = BLUE
    expected[:20, 760:] = GREEN
    for top, bottom, left, right in ((60, 80, 80, 120), (80, 100, 80, 120), (60, 100, 120, 160)):
        under = expected[top, left].astype(int)
        expected[top:bottom, left:right] = (128 * 255 + 127 * under) / 255 + 0.5
    y, x = np.mgrid[:400, :800] + 0.5
    circle = np.hypot(x - 240, y - 120)
    expected[circle < 40] = GREEN
    # A slanted line: along it from its start, and away from it.
    along, away = (x + y - 840) / 2**0.5, abs(x - y - 360) / 2**0.5
    slanted = (along > 0) & (along < 120 * 2**0.5) & (away < 6)
    expected[slanted] = WHITE
    wrong = (abs(seen.astype(int) - expected) > 1).any(-1)
    edges = (abs(circle - 40) < 2) | ((away < 8) & (abs(away - 6) < 1))
    edges |= (away < 8) & ((abs(along) < 1) | (abs(along - 120 * 2**0.5) < 1))
    assert not (wrong & ~edges).any(), np.argwhere(wrong & ~edges)[:5]
    green = (seen[circle < 44].astype(float) - GROUND)[:, 1].sum() / (255 - GROUND[1])
    assert abs(green - np.pi * 40**2) < 50  # a soft edge, as large as it should be


def test_images_are_sharp_and_new_each_time(window: Other, display: Display) -> None:
    """An odd width of three bytes a pixel: rows start at any byte."""
    window.run("image = np.arange(5 * 3 * 3, dtype=np.uint8).reshape(5, 3, 3) * 5")
    image = np.arange(5 * 3 * 3, dtype=np.uint8).reshape(5, 3, 3) * 5

    def check(seen: npt.NDArray[np.uint8], rows: int) -> None:
        part = seen[40:240, 400:520]
        np.testing.assert_array_equal(part, image.repeat(200 // rows, 0).repeat(40, 1))
        assert holds(seen[40:240, 399], GROUND)
        assert holds(seen[40:240, 520], GROUND)

    item = "Image(100, 10, 30, 50, image), Image(0, 0, 4, 4, image[:1, 1:])"
    check(show(window, display, item), 5)
    window.run("image[1:4, 1] = 77")
    image[1:4, 1] = 77
    seen = show(window, display, item)
    check(seen, 5)
    assert holds(seen[:16, 8:16], tuple(image[0, 2]))
    window.run("image = image[:4, ::-1]")  # another size, and not in one piece
    image = image[:4, ::-1]
    check(show(window, display, item), 4)


def test_sprites_are_seen_through_and_follow_their_arrays(window: Other, display: Display) -> None:
    window.run("ship = np.zeros((2, 2, 4), np.uint8); ship[0, 0] = 255, 0, 0, 255")
    window.run("rock = np.full((3, 3, 3), 99, np.uint8)")
    items = (
        "Sprite(10, 10, 20, 20, 'ship'), Sprite(50, 10, 9, 9, 'rock'), Sprite(90, 10, 4, 4, 'ship')"
    )
    seen = show(window, display, items, "{'ship': ship, 'rock': rock}")
    expected = np.full((400, 800, 3), GROUND, np.uint8)
    expected[40:80, 40:80] = expected[40:48, 360:368] = RED
    expected[40:76, 200:236] = 99
    np.testing.assert_array_equal(seen, expected)
    window.run("ship = ship[::-1]")
    seen = show(window, display, items, "{'ship': ship, 'rock': rock}")
    assert holds(seen[40:80, 40:80], GROUND)
    assert holds(seen[80:120, 40:80], RED)


def test_text_stands_below_its_corner_and_is_as_high_as_it_says(
    window: Other, display: Display
) -> None:
    seen = show(window, display, f"Text(50, 20, 'Hg', 10, {WHITE})")
    rows, columns = np.nonzero((seen != GROUND).any(-1))
    assert 200 <= columns.min() <= 206
    assert 230 < columns.max() < 260
    assert 80 <= rows.min() <= 90
    assert 110 < rows.max() < 120
    assert holds(seen[rows.min() + 10, columns.min() + 1 : columns.min() + 3], WHITE)
    lower = show(window, display, f"Text(50, 40, 'Hg', 10, {WHITE})")
    np.testing.assert_array_equal(lower[160:220], seen[80:140])


def test_text_of_any_letters_is_drawn(window: Other, display: Display) -> None:
    window.run(r"strange = 'a·→µ±é\u4e2d\U0001f41f\ud800\x00\n' + ''.join(map(chr, range(600)))")
    for size in (0.01, 3, 40):
        seen = show(window, display, f"Text(0, 0, strange, {size}, {WHITE})")
        assert (seen > 200).any() == (size >= 1)
    dots = show(window, display, f"Text(0, 0, '·', 40, {WHITE})")
    assert 0 < (dots == WHITE).all(-1).sum() < 800  # a point, not a question mark


@pytest.mark.parametrize(
    ("words", "letters"),
    [
        ("Score 12", "Score 12"),
        ("a · b", "a · b"),
        ("1\N{EN DASH}2 → 3 ←", "1-2 > 3 <"),
        ("5 µs ± 1 μs", "5 us ± 1 us"),
        ("é ü Å", "e u A"),
        ("中 🐟 \ud800", "? ? ?"),
        ("é\n中", "e\n?"),
    ],
)
def test_letters_that_the_font_lacks(words: str, letters: str) -> None:
    assert plain(words) == letters


def test_another_shape_of_the_window_keeps_proportions(window: Other, display: Display) -> None:
    items = f"Rectangle(0, 0, 200, 100, {RED}), Rectangle(100, 50, 300, 300, {GREEN})"
    show(window, display, items)
    for width, height, part in (
        (600, 600, (slice(150, 450), slice(0, 600))),
        (900, 100, (slice(0, 100), slice(350, 550))),
    ):
        display.resize(width, height)
        window.run(f"size = {width}, {height}\n{SETTLE}")
        seen = show(window, display, items)
        expected = np.full((height, width, 3), BLACK, np.uint8)
        expected[part] = RED
        rows, columns = part
        middle = (rows.start + rows.stop) // 2, (columns.start + columns.stop) // 2
        expected[middle[0] : rows.stop, middle[1] : columns.stop] = GREEN
        np.testing.assert_array_equal(seen, expected)


def test_a_scene_of_another_shape_leaves_nothing_behind(window: Other, display: Display) -> None:
    show(window, display, f"Rectangle(0, 0, 200, 100, {RED})")
    window.run(f"scene = Scene(100, 200, {BLUE})\n" + SHOW * 2)
    seen = display.picture()
    assert holds(seen[:, 300:500], BLUE)
    assert holds(seen[:, :300], BLACK)
    assert holds(seen[:, 500:], BLACK)


def test_a_window_too_large_for_the_monitor_opens_smaller(other: Other, display: Display) -> None:
    other.run("w = Window('Skipjack', 4000, 1000)")
    other.run(f"size = 900, 225\n{SETTLE}")
    x, y, width, height = display.window()[1]
    seen = show(other, display, f"Rectangle(0, 0, 200, 100, {RED})")
    other.run("w.close()")
    assert (width, height) == (0.9 * SIZE[0], 0.9 * SIZE[0] / 4)
    assert (x, y) == ((SIZE[0] - width) // 2, (SIZE[1] - height) // 2)
    assert holds(seen[:, 225:675], RED)
    assert holds(seen[:, :225], BLACK)


def test_every_key_has_its_name(window: Other, display: Display) -> None:
    for key in KEYS:
        display.tap(SYMBOLS.get(key, key))
        look(window, (key,))  # not even escape closes
    others = {"Shift_R": "shift", "KP_Enter": "enter", "KP_Add": "plus", "KP_7": "7"}
    for symbol, key in others.items():
        display.tap(symbol)
        look(window, (key,))
    display.tap("F12")
    display.tap("a")
    look(window, ("a",))


def test_the_table_of_keys_names_each_once_but_for_twins() -> None:
    twins = Counter(RAYLIB_KEYS.values()) - Counter(KEYS)
    assert set(RAYLIB_KEYS.values()) == set(KEYS)
    assert twins == Counter(("shift", "enter", "plus", "minus", "period", *DIGITS))


def test_keys_between_two_looks_come_in_their_order(window: Other, display: Display) -> None:
    for key in ("b", "a", "b"):
        display.tap(key)
    display.key("c", True)
    window.run("time.sleep(0.05); w.show(Scene(1, 1))")  # showing takes no keys away
    look(window, ("b", "a", "b", "c"), ("c",))
    look(window, (), ("c",))
    display.key("c", False)
    look(window)


def test_a_held_key_does_not_repeat(window: Other, display: Display) -> None:
    display.key("Left", True)
    display.key("Shift_R", True)
    window.run("time.sleep(0.4)")
    look(window, ("left", "shift"), ("left", "shift"))
    display.key("Left", False)
    display.key("Shift_R", False)
    look(window)


def test_a_window_that_loses_the_keys_releases_them(window: Other, display: Display) -> None:
    display.key("Up", True)
    look(window, ("up",), ("up",))
    display.unfocus()
    look(window)
    display.key("Up", False)


MOUSE = """
end = time.monotonic() + 5
clicks, wheel = [], 0
while not (clicks or wheel) and time.monotonic() < end:
    found = w.poll()
    clicks += found.clicks
    wheel += found.wheel
answer = [clicks, wheel]
"""


@pytest.mark.parametrize("number", [1, 3])
def test_a_click_is_told_in_units_of_the_scene(
    window: Other, display: Display, number: int
) -> None:
    """A scene as high as the window and half as wide stands in its middle."""
    window.run(f"scene = Scene(100, 100, {GROUND}, [])\n" + SHOW)
    display.point(200 + 4 * 30, 4 * 20)
    display.button(number, True)
    ((x, y),), wheel = window.run(MOUSE)
    assert (x, y, wheel) == (pytest.approx(30, abs=0.5), pytest.approx(20, abs=0.5), 0)
    display.button(number, False)
    assert window.run("w.poll(); found = w.poll(); answer = [found.clicks, found.wheel]") == [[], 0]


def test_the_wheel_is_told_in_notches(window: Other, display: Display) -> None:
    show(window, display, "")
    display.point(400, 200)
    for button, wheel in ((4, 1), (5, -1)):
        display.button(button, True)
        display.button(button, False)
        assert window.run(MOUSE) == [[], wheel]


def test_the_close_button_is_told_until_the_end(window: Other, display: Display) -> None:
    look(window)
    display.press_close_button()
    look(window, closed=True)
    look(window, closed=True)


def test_a_closed_window_stays_closed(window: Other) -> None:
    again = "try: Window('Skipjack', 80, 40)\nexcept Exception as error: answer = str(error)"
    assert "can have one window" in window.run(again)
    window.run("w.show(Scene(1, 1)); w.close(); w.close(); w.show(Scene(1, 1))")
    look(window, closed=True)
    window.run("v = Window('Skipjack', 80, 40); w.close(); v.show(Scene(1, 1))")
    assert window.run("answer = v.poll().closed") is False
    window.run("v.close()")


def test_textures_are_freed(window: Other) -> None:
    """Those of an image that changed its size, a changed sprite, other words, and all at the end."""
    window.run("""
freed, unload = [], w._raylib.UnloadTexture
class Counting:
    def __getattr__(self, name): return getattr(w._raylib, name)
    def UnloadTexture(self, texture): freed.append(texture.id); unload(texture)
w._painter._raylib = Counting()
def show(size):
    pixels = np.zeros((size, size, 3), np.uint8)
    items = [Image(0, 0, 9, 9, pixels), Sprite(0, 0, 9, 9, "a"), Text(0, 0, f"n {size}", 3, (9, 9, 9)),
             Text(0, 0, "same", 3, (9, 9, 9))]
    w.show(Scene(9, 9, items=items, sprites={"a": pixels}))
show(3); show(4)
""")
    assert window.run("answer = len(freed)") == 3
    window.run("w.close()")
    assert window.run("answer = len(freed)") == 8  # the disc, too


def test_nothing_is_written_to_the_terminal(window: Other, display: Display) -> None:
    show(window, display, f"Text(0, 0, 'é', 9, {WHITE})")
    assert window.stderr.read_text() == ""  # and a word on stdout would be taken for an answer


def failure(code: str = "", **environment: str) -> str:
    """What opening a window says, in a process of its own."""
    attempt = (
        "from skipjack.errors import SkipjackError\nfrom skipjack.view.window import Window\n"
        "try: Window('Skipjack', 80, 40)\nexcept SkipjackError as error: print(error)"
    )
    bare = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{attempt}"],
        capture_output=True, text=True, env=bare | environment, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="the desktop is always there")
def test_no_display_is_a_sentence() -> None:
    for said in (failure(), failure("import sys; sys.modules['raylib'] = None")):
        assert "neither DISPLAY nor WAYLAND_DISPLAY is set" in said
        assert "--browser" in said
        assert "xvfb-run -a" in said


@pytest.mark.parametrize(("module", "name"), [("raylib", "raylib"), ("PIL", "Pillow")])
def test_a_package_that_is_missing_is_a_sentence(module: str, name: str) -> None:
    pytest.importorskip("raylib")
    said = failure(f"import sys; sys.modules[{module!r}] = None", DISPLAY=":77777")
    assert f"needs {name}, which is not installed" in said
    assert 'pip install "skipjack[view]"' in said


def test_packages_are_loaded_where_a_window_opens() -> None:
    code = "import skipjack.view.window, sys; print(*{'raylib', 'PIL', 'torch'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_raylib_that_does_not_load_is_a_sentence() -> None:
    broken = """
import sys
class Broken:
    def find_spec(self, name, *rest):
        if name == "raylib":
            raise ImportError("libX11.so.6: cannot open shared object file")
sys.meta_path.insert(0, Broken())"""
    said = failure(broken, DISPLAY=":77777")
    assert "does not load here: libX11.so.6: cannot open shared object file." in said
    assert "--browser" in said


def test_a_display_that_is_not_there_is_a_sentence() -> None:
    pytest.importorskip("raylib")
    said = failure(DISPLAY=":77777")
    assert "No window could be opened on the display ':77777'" in said
    assert "--browser" in said
