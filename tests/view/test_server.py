"""The page's server: who is let in, what goes out, what comes in, and its end."""

from __future__ import annotations

import asyncio
import importlib
import logging
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

from skipjack.errors import MissingPackage, UsageError
from skipjack.native.scene import Image, Rectangle, Scene, Sprite
from tests.view.test_wire import read

aiohttp = pytest.importorskip("aiohttp")

from skipjack.view import door, server  # noqa: E402 - it needs aiohttp
from skipjack.view.server import AHEAD, MOST_MESSAGES, MOST_WATCHERS, Browser  # noqa: E402

PATHS = ["/", "/page.js", "/page.css", "/socket"]


@pytest.fixture
def browser() -> Iterator[Browser]:
    made = Browser("A game", port=0)
    yield made
    made.close()


def scene(x: float = 0) -> Scene:
    return Scene(40, 30).add(Rectangle(x, 0, 1, 1, (255, 0, 0)))


def origin(browser: Browser) -> str:
    return browser.url.partition("/?")[0]


def at(browser: Browser, path: str) -> str:
    return browser.url.replace("/?", f"{path}?")


def run(test: Callable[[Any], Coroutine[Any, Any, None]]) -> None:
    """Run a client's side, given aiohttp's client."""

    async def work() -> None:
        async with aiohttp.ClientSession() as client:
            await asyncio.wait_for(test(client), 30)

    asyncio.run(work())


@asynccontextmanager
async def watching(client: Any, browser: Browser, **changes: Any) -> AsyncIterator[Any]:
    settings = {"origin": origin(browser), "max_msg_size": 0} | changes
    async with client.ws_connect(at(browser, "/socket"), **settings) as connection:
        yield connection


async def until(condition: Callable[[], Any]) -> None:
    while not condition():
        await asyncio.sleep(0.005)


async def get(connection: Any) -> dict[str, Any]:
    return read(await connection.receive_bytes())[0]


async def place(connection: Any) -> float:
    """Where the rectangle of a picture is."""
    return (await get(connection))["items"][0][1]


# ---- who is let in ----


@pytest.mark.parametrize("path", [*PATHS, "/nothing"])
@pytest.mark.parametrize("token", ["", "?token=", "?token=wrong", "?token=%ff", "?token=é"])
def test_nothing_is_served_without_the_token(browser: Browser, path: str, token: str) -> None:
    async def test(client: Any) -> None:
        headers = {"Origin": origin(browser)}
        async with client.get(origin(browser) + path + token, headers=headers) as response:
            assert response.status == 403
            assert "whole link" in await response.text()

    run(test)


@pytest.mark.parametrize("path", PATHS[:3])
def test_the_page_is_served_with_it_and_kept_nowhere(browser: Browser, path: str) -> None:
    async def test(client: Any) -> None:
        async with client.get(at(browser, path)) as response:
            assert response.status == 200
            assert response.headers["Referrer-Policy"] == "no-referrer"
            assert response.headers["Cache-Control"] == "no-store"
            assert "default-src 'none'" in response.headers["Content-Security-Policy"]
            assert "Set-Cookie" not in response.headers

    run(test)


def test_refusals_have_the_headers_too(browser: Browser) -> None:
    async def test(client: Any) -> None:
        async with client.get(origin(browser)) as response:
            assert response.headers["Cache-Control"] == "no-store"

    run(test)


def test_the_title_is_text() -> None:
    browser = Browser("<b> & $token", port=0)

    async def test(client: Any) -> None:
        async with client.get(browser.url) as response:
            assert "<title>&lt;b&gt; &amp; $token</title>" in await response.text()

    run(test)
    browser.close()


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:1234", 200),  # through a tunnel
        ("127.0.0.1", 200),
        ("[::1]:80", 200),
        ("evil.example:8017", 403),
        ("127.0.0.1.evil.example", 403),
        ("[", 403),
        ("", 403),
    ],
)
def test_other_names_are_refused(browser: Browser, host: str, status: int) -> None:
    async def test(client: Any) -> None:
        async with client.get(browser.url, headers={"Host": host}) as response:
            assert response.status == status

    run(test)


@pytest.mark.parametrize("wrong", [None, "null", "http://evil.example", "http://127.0.0.1:1"])
def test_other_pages_may_not_connect(browser: Browser, wrong: str | None) -> None:
    async def test(client: Any) -> None:
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            async with watching(client, browser, origin=wrong):
                pass
        assert caught.value.status == 403
        assert browser.watchers == 0

    run(test)


def test_no_more_watch_than_may(browser: Browser) -> None:
    async def test(client: Any) -> None:
        seats = [watching(client, browser) for _ in range(MOST_WATCHERS)]
        for seat in seats:
            await seat.__aenter__()
        async with watching(client, browser) as late:
            said = await late.receive()
            assert (said.type, said.data) == (aiohttp.WSMsgType.CLOSE, 1013)
            assert said.extra == "Too many watch already."
        assert browser.watchers == MOST_WATCHERS
        for seat in seats:
            await seat.__aexit__(None, None, None)

    run(test)


# ---- pictures ----


def test_who_comes_late_gets_the_newest_picture(browser: Browser) -> None:
    for x in range(5):
        browser.show(scene(x))

    async def test(client: Any) -> None:
        async with watching(client, browser) as connection:
            assert await place(connection) == 4

    run(test)


def test_the_same_picture_is_sent_once(browser: Browser) -> None:
    async def test(client: Any) -> None:
        async with watching(client, browser) as connection:
            for x in (0, 0, 0, 1):
                browser.show(scene(x))
                await asyncio.sleep(0.02)
            assert [await place(connection), await place(connection)] == [0, 1]

    run(test)


def test_sprites_go_before_their_picture_and_once_unless_they_change(browser: Browser) -> None:
    tree, bush = np.zeros((2, 2, 4), np.uint8), np.ones((1, 1, 3), np.uint8)

    def forest(x: float, sprite: Any) -> Scene:
        return Scene(9, 9, sprites={"tree": sprite}).add(Sprite(x, 0, 1, 1, "tree"))

    async def test(client: Any) -> None:
        async with watching(client, browser) as connection:
            browser.show(forest(0, tree))
            assert await get(connection) == {"sprite": "tree", "shape": [2, 2, 4]}
            assert await place(connection) == 0
            browser.show(forest(1, tree))
            assert await place(connection) == 1
            browser.show(forest(1, bush))  # the same but for the sprite
            assert await get(connection) == {"sprite": "tree", "shape": [1, 1, 3]}
            assert await place(connection) == 1
        async with watching(client, browser) as connection:
            assert (await get(connection))["sprite"] == "tree"

    run(test)


def test_a_slow_watcher_leaves_pictures_out_and_the_others_none(browser: Browser) -> None:
    async def test(client: Any) -> None:
        async with watching(client, browser) as slow, watching(client, browser) as quick:
            while browser.watchers < 2:
                await asyncio.sleep(0.01)
            for x in range(50):
                browser.show(scene(x))
                assert await place(quick) == x
                await quick.send_str(f"drawn {x + 1}")
            early = [await place(slow) for _ in range(AHEAD)]  # one may have been overtaken already
            assert early == sorted(set(early))
            assert early[-1] < 2 * AHEAD
            await slow.send_str(f"drawn {AHEAD}")
            assert await place(slow) == 49

    run(test)


def test_who_says_to_have_drawn_but_does_not_read_fills_no_memory(browser: Browser) -> None:
    """Its connection's buffers are full after a while; then no more is sent."""
    noise = np.zeros((500, 700, 3), np.uint8)
    total = 60

    async def test(client: Any) -> None:
        async with watching(client, browser) as lazy:
            await until(lambda: browser.watchers)
            (watcher,) = browser._watchers
            async with watching(client, browser) as quick:
                for i in range(total):
                    picture = Scene(9, 9).add(Image(i, 0, 1, 1, noise))
                    browser.show(picture)
                    await lazy.send_str("drawn 99999999")
                    assert await place(quick) == i
                    await quick.send_str(f"drawn {i + 1}")
            assert watcher.drawn <= watcher.sent < total / 2

    run(test)


def test_showing_waits_for_nobody(browser: Browser) -> None:
    """Whatever the thread is at."""
    hold = threading.Event()
    browser._loop.call_soon_threadsafe(hold.wait)
    for x in range(1000):
        browser.show(scene(x))
    browser.poll()
    hold.set()


# ---- keys ----


def test_keys_that_went_down_and_keys_that_are_down(browser: Browser) -> None:
    async def test(client: Any) -> None:
        async with watching(client, browser) as connection:
            for words in ("down left", "down a", "up a", "down space", "down left"):
                await connection.send_str(words)
            await until(lambda: "space" in browser._held())
            await asyncio.sleep(0.02)
            seen = browser.poll()
            assert seen.pressed == ("left", "a", "space")
            assert seen.held == {"left", "space"}
            assert not seen.closed
            assert browser.poll() == server.Input((), frozenset({"left", "space"}))
            await connection.send_str("up left")
            await until(lambda: "left" not in browser._held())
            assert browser.poll().held == {"space"}

    run(test)


def test_clicks_and_the_wheel_are_told_once(browser: Browser) -> None:
    async def test(client: Any) -> None:
        async with watching(client, browser) as connection:
            for words in ("click 3.5 4", "wheel 1", "wheel 1", "wheel -9", "click 0 0", "down a"):
                await connection.send_str(words)
            await until(browser._held)
            seen = browser.poll()
            assert (seen.clicks, seen.wheel) == (((3.5, 4.0), (0.0, 0.0)), 1)
            again = browser.poll()
            assert (again.clicks, again.wheel) == ((), 0)

    run(test)


def test_two_keyboards_are_taken_together(browser: Browser) -> None:
    async def test(client: Any) -> None:
        async with watching(client, browser) as one:
            async with watching(client, browser) as other:
                await one.send_str("down up")
                await until(lambda: browser._held() == {"up"})
                await other.send_str("down up")
                await other.send_str("down w")
                await until(lambda: browser._held() == {"up", "w"})
                assert browser.poll().pressed == ("up", "w")
            await until(lambda: browser.watchers == 1)
            assert browser.poll().held == {"up"}, "one still holds it; who is gone holds nothing"

    run(test)


@pytest.mark.parametrize(
    "words",
    [
        "",
        "down",
        "down f11",
        "down LEFT",
        "up left",
        "drawn",
        "drawn -1",
        "drawn ²",
        "press a",
        "click",
        "click 1",
        "click 1 2 3",
        "click nan 1",
        "click 1 inf",
        "click a b",
        "wheel",
        "wheel x",
        "wheel nan",
        "wheel 0",
        "{}",
        "\0",
    ],
)
def test_what_a_page_has_no_reason_to_say_is_passed_over(browser: Browser, words: str) -> None:
    async def test(client: Any) -> None:
        async with watching(client, browser) as connection:
            await connection.send_str(words)
            await connection.send_bytes(b"down left")
            await connection.send_str("down a")
            await until(browser._held)
            assert browser.poll() == server.Input(("a",), frozenset("a"))

    run(test)


def test_too_large_a_message_ends_its_connection_alone(browser: Browser) -> None:
    async def test(client: Any) -> None:
        async with watching(client, browser) as bad, watching(client, browser) as good:
            await bad.send_str("down a")
            await until(browser._held)
            await bad.send_str("down " + "a" * server.LONGEST)
            assert (await bad.receive()).data == 1009
            await until(lambda: browser.watchers == 1)
            assert browser.poll().held == frozenset()
            browser.show(scene(7))
            assert await place(good) == 7

    run(test)


def test_too_many_messages_end_their_connection_alone(browser: Browser) -> None:
    async def test(client: Any) -> None:
        async with watching(client, browser) as bad, watching(client, browser) as good:
            for _ in range(3 * MOST_MESSAGES):
                await bad.send_str("down b")
            said = await bad.receive()
            assert (said.data, said.extra) == (1008, "Too many messages.")
            await until(lambda: browser.watchers == 1)
            assert browser.poll().held == frozenset()
            browser.show(scene(7))
            assert await place(good) == 7

    run(test)


def test_pings_are_answered_and_counted(browser: Browser) -> None:
    async def test(client: Any) -> None:
        async with watching(client, browser, autoping=False) as asking:
            await asking.ping(b"there")
            answer = await asking.receive()
            assert (answer.type, answer.data) == (aiohttp.WSMsgType.PONG, b"there")
        async with watching(client, browser) as bad, watching(client, browser) as good:
            for _ in range(3 * MOST_MESSAGES):
                await bad.ping(b"")
            said = await bad.receive()
            assert (said.data, said.extra) == (1008, "Too many messages.")
            await until(lambda: browser.watchers == 1)
            browser.show(scene(7))
            assert await place(good) == 7

    run(test)


def test_as_many_messages_as_a_page_sends_are_taken(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The count begins anew each second."""
    now = 1000.0
    monkeypatch.setattr(server.time, "monotonic", lambda: now)
    watcher = server._Watcher(transport=None, socket=None)
    for _ in range(5):
        assert not any(watcher.too_many() for _ in range(MOST_MESSAGES))
        now += 1
    assert [watcher.too_many() for _ in range(MOST_MESSAGES + 1)][-1]


# ---- who looks ----


def test_nobody_looks_once_the_last_is_gone_for_a_while(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not browser.poll().closed, "nobody has come yet"

    async def test(client: Any) -> None:
        async with watching(client, browser), watching(client, browser):
            await until(lambda: browser.watchers == 2)
        await until(lambda: browser.watchers == 0)
        assert not browser.poll().closed, "a page may be loading again"
        async with watching(client, browser):
            async with watching(client, browser):
                await until(lambda: browser.watchers == 2)
            await until(lambda: browser.watchers == 1)
            monkeypatch.setattr(server, "GRACE", 0.05)
            await asyncio.sleep(0.1)
            assert not browser.poll().closed, "one still looks"
        await until(lambda: browser.watchers == 0)
        await until(lambda: browser.poll().closed)

    run(test)


def test_a_page_that_loads_again_has_the_time_for_it() -> None:
    page = (server.PAGE / "page.js").read_text(encoding="utf-8")
    again = int(page.split("const AGAIN = ")[1].split(";")[0])
    assert again / 1000 < server.GRACE / 2


# ---- addresses ----


def test_a_port_that_is_taken_is_told(browser: Browser) -> None:
    with pytest.raises(UsageError, match=f"{browser._door.port} of '127.0.0.1' cannot be had"):
        Browser("Another", port=browser._door.port)


def test_an_address_that_cannot_be_had_is_told() -> None:
    with pytest.raises(UsageError, match=r"'no.such.host.invalid' cannot be had"):
        Browser("A game", host="no.such.host.invalid", port=0)


@pytest.mark.parametrize("port", [-1, 70000])
def test_a_port_that_is_none_is_told(port: int) -> None:
    with pytest.raises(UsageError, match=f"between 0 and 65535, but got {port}"):
        Browser("A game", port=port)


def test_the_usual_port_or_another(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "PORT", browser._door.port)
    other = Browser("Another")
    assert other._door.port != browser._door.port
    browser.close()
    other.close()
    again = Browser("A third")
    again.close()
    assert again._door.port == browser._door.port


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_it_listens_on_this_machine_alone(host: str) -> None:
    browser = Browser("A game", host=host, port=0)
    browser.close()
    assert browser.url.startswith(f"http://{host}:{browser._door.port}/?token=")
    assert browser.warning == ""


def test_listening_wider_has_a_warning() -> None:
    browser = Browser("A game", host="0.0.0.0", port=0)

    async def test(client: Any) -> None:
        address = f"http://127.0.0.1:{browser._door.port}/?{browser.url.partition('?')[2]}"
        for name, status in [(socket.gethostname(), 200), ("evil.example", 403)]:
            async with client.get(address, headers={"Host": name}) as response:
                assert response.status == status

    run(test)
    browser.close()
    assert str(browser._door.port) in browser.warning
    assert "Other machines" in browser.warning


def test_every_link_is_its_own(browser: Browser) -> None:
    other = Browser("Another", port=0)
    other.close()
    assert len(browser._door.token) >= 20
    assert browser._door.token != other._door.token


# ---- the end ----


def test_closing_ends_the_thread_with_who_is_there(browser: Browser) -> None:
    async def test(client: Any) -> None:
        async with watching(client, browser) as connection, watching(client, browser):
            await until(lambda: browser.watchers == 2)
            await asyncio.to_thread(browser.close)
            assert not browser._thread.is_alive()
            said = await connection.receive()
            assert (said.data, said.extra) == (1000, "The session has ended.")

    run(test)


def test_closing_ends_the_thread_though_somebody_does_not_read(browser: Browser) -> None:
    """A connection whose buffers are full takes no word of farewell."""
    noise = np.zeros((1000, 1000, 3), np.uint8)

    async def test(client: Any) -> None:
        async with watching(client, browser) as lazy:
            await until(lambda: browser.watchers)
            for i in range(20):
                browser.show(Scene(9, 9).add(Image(i, 0, 1, 1, noise)))
                await lazy.send_str("drawn 99999999")
                await asyncio.sleep(0.01)
            (watcher,) = browser._watchers
            await asyncio.to_thread(browser.close)
            assert not browser._thread.is_alive()
            assert watcher.transport.get_extra_info("socket").fileno() == -1, "it is still open"

    run(test)


def test_after_the_end_nothing_is_done_and_nobody_looks(browser: Browser) -> None:
    browser.close()
    browser.close()
    browser.show(scene())
    assert browser.poll().closed
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", browser._door.port), timeout=5)


def test_the_token_is_in_no_log(browser: Browser, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def test(client: Any) -> None:
        for path in PATHS[:3]:
            async with client.get(at(browser, path)) as response:
                assert response.status == 200
        async with watching(client, browser):
            pass

    run(test)
    browser.close()
    assert browser._door.token not in caplog.text


NOISE = r"""
import socket, urllib.error, urllib.request
from pathlib import Path
from skipjack.native.scene import Rectangle, Scene
from skipjack.view import server

browser = server.Browser("A game", port=0)
for words in (b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", b"GET"):
    with socket.create_connection(("127.0.0.1", browser._door.port), timeout=5) as connection:
        connection.sendall(words)
        words == b"GET" or connection.recv(1000)
token = browser.url.partition("?")[2]
upgrade = (
    f"GET /socket?{token} HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
)
with socket.create_connection(("127.0.0.1", browser._door.port), timeout=5) as connection:
    connection.sendall(upgrade.encode())
    assert b"101" in connection.recv(1000)
for x in range(100):  # to one who is gone without a word
    browser.show(Scene(9, 9).add(Rectangle(x, 0, 1, 1, (1, 2, 3))))
server.PAGE = Path("nowhere")  # a fault of our own
try:
    urllib.request.urlopen(browser.url)
except urllib.error.HTTPError as error:
    assert error.code == 500
browser.close()
print("done")
"""


def test_nothing_is_written_to_the_terminal() -> None:
    """In a process of its own, whose logging nobody has set up."""
    done = subprocess.run([sys.executable, "-c", NOISE], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("done\n", "")


def test_without_aiohttp_the_command_that_helps_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    monkeypatch.delitem(sys.modules, "skipjack.view.server")
    with pytest.raises(MissingPackage, match=r"pip install \"skipjack\[web\]\""):
        importlib.import_module("skipjack.view.server")
