"""`skipjack play` and `skipjack watch`, with a screen that tests hold."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skipjack.native.scene import Scene
from skipjack.view import window
from skipjack.view.screen import Input
from tests.cli.conftest import Call, sentence, train
from tests.view.screens import Script, words

pytest.importorskip("PIL")


class Held(Script):
    """A window of a test: `looks` looks with a key that goes down and up again."""

    made: list[Held]

    def __init__(self, title: str, width: int, height: int) -> None:
        super().__init__(self.script)
        self.title, self.size = title, (width, height)
        self.made.append(self)

    script: Iterable[Iterable[str] | Input] = ()


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> type[Held]:
    """Every window that a command opens; time passes a picture a look."""
    clock = [1000.0]

    def tick(_: float) -> None:
        clock[0] += 1 / 60

    class Window(Held):
        made: list[Held] = []  # noqa: RUF012

        def show(self, scene: Scene) -> None:
            super().show(scene)
            tick(0)

    monkeypatch.setattr(window, "Window", Window)
    import skipjack.view.session as session

    class Time:
        perf_counter = staticmethod(lambda: clock[0])
        sleep = staticmethod(lambda seconds: None)

    monkeypatch.setattr(session, "time", Time)
    return Window


def taps(keys: str | list[str], looks: int) -> list[list[str]]:
    return [[keys[look // 2 % len(keys)]] if look % 2 else [] for look in range(looks)]


def test_a_play_is_scored_kept_and_seen_again(call: Call, screen: type[Held]) -> None:
    screen.script = taps(["0", "1"], 400)
    code, out, err = call("play", "password", "--json")
    assert code == 0, err
    row = json.loads(out)
    (window,) = screen.made
    assert window.closed == 1
    assert window.title == "password"
    assert row["episodes"] >= 3
    assert 0 <= row["score"] <= 1
    assert 0 <= row["random_score"] <= 0.2
    (kept,) = row["kept"]

    screen.script = [()] * 3000
    code, out, err = call("watch", kept)
    assert code == 0, err
    told = words(screen.made[-1].scenes[-1])
    assert "paused" in told
    mean = next(line for line in told if line.startswith("mean of"))
    assert mean.startswith(f"mean of {row['episodes']}: score {row['score']:.3f}")


def test_playing_needs_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys; from skipjack.view import window\n"
        "class Window:\n"
        "    def __init__(self, *a): self.looks = 0\n"
        "    def poll(self):\n"
        "        from skipjack.view.screen import Input\n"
        "        self.looks += 1\n"
        "        return Input(closed=self.looks > 400)\n"
        "    def show(self, scene): pass\n"
        "    def close(self): pass\n"
        "window.Window = Window\n"
        "from skipjack.cli.main import main\n"
        "main(['play', 'breakout', '--speed', '16'])\n"
        "print([name for name in ('torch', 'gymnasium', 'rich', 'aiohttp') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "The random player: score 0.00" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_two_people_play_each_other(call: Call, screen: type[Held]) -> None:
    """The left one goes up, the right one down."""
    screen.script = [["w", "down"]] * 60
    code, _, err = call("play", "pong", "--players", "2")
    assert code == 0, err
    told = words(screen.made[0].scenes[-1])
    assert any("W up" in line and "↓ down" in line for line in told)
    from skipjack.view import record

    kept = record.read(Path("plays/pong-1.play"))
    assert kept.rows == [0, 1]
    assert kept.actions[2:, :, 0].tolist() == [[1, 2]] * (len(kept.actions) - 2)


def test_two_people_have_a_score_each(call: Call, screen: type[Held]) -> None:
    screen.script = [["w"]] * 2000
    arguments = ["--players", "2", "--env.time-limit", "2000", "--speed", "16", "--json"]
    code, out, err = call("play", "pong", *arguments)
    assert code == 0, err
    row = json.loads(out)
    left, right = row["scores"]["seat 0"], row["scores"]["seat 1"]
    assert left + right == pytest.approx(1, abs=0.01)
    assert left != right


def test_seed_speed_and_settings_are_what_was_asked_for(call: Call, screen: type[Held]) -> None:
    from skipjack.view import record

    screen.script = [()] * 60
    flags: list[list[str]] = [[], ["--seed", "7"], ["--speed", "4"], ["--env.balls", "1"]]
    for each in flags:
        assert call("play", "breakout", *each)[0] == 0
    plain, seeded, fast, own = (record.read(Path(f"plays/breakout-{i}.play")) for i in range(1, 5))
    assert (plain.seed, seeded.seed) == (0, 7)
    assert len(fast.actions) > 3 * len(plain.actions)
    assert (plain.settings["balls"], own.settings["balls"]) == (5, 1)


def test_what_is_watched_follows_its_flags(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seeds and sampling change what happens; the same ones do not."""
    pytest.importorskip("av")
    from skipjack.view.video import Video

    seen: list[bytes] = []
    monkeypatch.setattr(Video, "add", lambda self, pixels: seen.append(pixels.tobytes()))

    def films(*arguments: str) -> list[bytes]:
        seen.clear()
        command = ["watch", "baseline:pong", "--video", "a.gif", "--show", "seen", *arguments]
        call(*command)
        return seen[:]

    first = films("--seed", "1")
    assert len(first) > 100
    assert films("--seed", "1") == first
    assert films("--seed", "2") != first
    assert films("--seed", "1", "--deterministic") != first
    assert len(films("--seed", "1", "--fps", "4")) < 0.3 * len(first)


def test_a_person_plays_against_a_policy(call: Call, screen: type[Held]) -> None:
    run = train(call, "pong")["run"]
    screen.script = [()] * 4000
    code, out, err = call(
        "play", "pong", "--against", run, "--env.time-limit", "600", "--json", "--speed", "4"
    )
    assert code == 0, err
    row = json.loads(out.splitlines()[-1])
    assert screen.made[0].title == f"pong against {run}"
    assert row["episodes"] >= 1
    assert row["random_score"] is not None


@pytest.mark.parametrize("against", ["script", "random", "baseline:pong"])
def test_a_person_plays_against_whoever_can_be_rated(
    call: Call, screen: type[Held], against: str
) -> None:
    screen.script = [()] * 20
    code, _, err = call("play", "pong", "--against", against)
    assert code == 0, err
    assert screen.made[0].title == f"pong against {against}"


def test_a_policy_is_watched_against_another(
    call: Call, screen: type[Held], monkeypatch: Any
) -> None:
    """Two players side by side, each on its own rows, and each row's own thoughts."""
    from skipjack.view import session

    made: list[Any] = []
    begin = session.Session.begin
    monkeypatch.setattr(session.Session, "begin", lambda self: (made.append(self), begin(self))[1])
    screen.script = [()] * 40 + [["bracketright"]] + [()] * 40
    code, _, err = call("watch", "baseline:pong", "--against", "script", "--envs", "3")
    assert code == 0, err
    assert screen.made[0].title.endswith(" against script")
    told = [words(scene) for scene in screen.made[0].scenes]
    assert any(line.startswith("value ") for line in told[38])
    assert not any(line.startswith("value ") for line in told[-1]), "a script thinks nothing"
    found = made[0]
    assert found.world.vector.row_of.tolist() == [[0, 3], [1, 4], [2, 5]]
    assert [(rows.start, rows.stop) for rows, _ in found.actor.actors] == [(0, 3), (3, 6)]


def test_every_tick_is_a_step(call: Call, screen: type[Held]) -> None:
    screen.script = [()] * 40
    assert call("play", "breakout")[0] == 0
    assert call("play", "breakout", "--every-tick")[0] == 0
    from skipjack.view import record

    slow, fast = (record.read(Path(f"plays/breakout-{i}.play")) for i in (1, 2))
    assert len(slow.actions) == 10
    assert len(fast.actions) == 40


def test_policies_are_watched_with_what_they_think(call: Call, screen: type[Held]) -> None:
    screen.script = [()] * 20
    code, _, err = call("watch", "breakout", "--baseline", "--envs", "2")
    assert code == 0, err
    told = words(screen.made[0].scenes[-1])
    assert "left" in told
    assert any(line.startswith("value ") for line in told)
    assert any(line.endswith(" %") for line in told)
    assert "env 0" in told


def test_several_kinds_of_actions_are_thought_of(call: Call, screen: type[Held]) -> None:
    screen.script = [()] * 20
    for name in ("spaces", "continuous", "bandit/masked", "pong/lstm", "multiagent"):
        code, _, err = call("watch", f"baseline:{name}")
        assert code == 0, err
        assert any(line.startswith("value ") for line in words(screen.made[-1].scenes[-1])), name


@pytest.mark.parametrize("player", ["random", "scripted"])
def test_other_players_are_watched(call: Call, screen: type[Held], player: str) -> None:
    screen.script = [()] * 20
    code, _, err = call("watch", "pong", "--player", player)
    assert code == 0, err
    assert screen.made[0].title == f"{player} player in pong"


def test_a_training_is_followed(call: Call, screen: type[Held], monkeypatch: Any) -> None:
    """It goes on between two looks, and its newest checkpoint takes over."""
    run = train(call, "cartpole")["run"]
    command = ["train", "cartpole", "--resume", "--run", Path(run).name, "--train.steps", "4096"]
    poll = Held.poll

    def trains(self: Held) -> Input:
        if len(self.inputs) == 200:
            done = subprocess.run(
                [sys.executable, "-m", "skipjack", *command], capture_output=True, text=True
            )
            assert done.returncode == 0, done.stderr
        return poll(self)

    monkeypatch.setattr(screen, "poll", trains)
    screen.script = [()] * 300
    code, _, err = call("watch", run, "--follow")
    assert code == 0, err
    told = [words(scene) for scene in screen.made[0].scenes]
    before, after = (
        [line for lines in part for line in lines] for part in (told[:100], told[100:])
    )
    title = f"{run} at step 4,096"
    assert title not in before
    assert title in after
    assert title in told[-1], "the title stays"


def test_a_play_is_filmed_whole(call: Call, screen: type[Held]) -> None:
    """Also where it was ended in the middle of an episode, and in its settings."""
    pytest.importorskip("av")
    screen.script = [()] * 100
    assert call("play", "breakout", "--env.balls", "2")[0] == 0
    code, out, err = call("watch", "plays/breakout-1.play", "--video", "a.mp4")
    assert code == 0, err
    assert out.splitlines()[0] == "episode 1: not played to its end"
    code, _, err = call("watch", "plays/breakout-1.play", "--video", "a.mp4", "--pick", "best")
    assert code == 1
    assert "Ask for fewer: --episodes" in sentence(err)


def test_an_env_is_watched_with_settings_of_its_own(call: Call, screen: type[Held]) -> None:
    screen.script = [()] * 5
    code, _, err = call("watch", "breakout", "--player", "random", "--env.frame-skip", "1")
    assert code == 0, err


def test_a_play_that_goes_another_way_is_an_error(call: Call, screen: type[Held]) -> None:
    """Its file is whole, but a step leads elsewhere than it did then."""
    from safetensors import safe_open
    from safetensors.numpy import save_file

    screen.script = [()] * 60
    assert call("play", "breakout")[0] == 0
    path = "plays/breakout-1.play"
    with safe_open(path, "numpy") as file:
        about = file.metadata()
        arrays = {name: file.get_tensor(name) for name in ("actions", "checks")}
    arrays["checks"][5] += 1
    save_file(arrays, path, metadata=about)
    code, _, err = call("watch", path)
    assert code == 1
    assert "differs at step 6 of 15" in sentence(err)


def test_a_page_is_served_where_it_is_asked_for(
    call: Call, screen: type[Held], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And whoever lets other machines in is warned."""
    server = pytest.importorskip("skipjack.view.server")
    asked: list[Any] = []

    class Page(screen):  # type: ignore[misc, valid-type]
        warning, url = "Others can come in.", "http://there/"

        def __init__(self, title: str, **where: Any) -> None:
            super().__init__(title, 0, 0)
            asked.append(where)

    monkeypatch.setattr(server, "Browser", Page)
    code, out, err = call("play", "pong", "--browser", "--host", "0.0.0.0", "--port", "8123")
    assert code == 0
    assert asked == [{"host": "0.0.0.0", "port": 8123}]
    assert "Open http://there/ in a browser" in out
    assert "Others can come in." in err


def test_episodes_that_were_cut_before_stay_out_of_the_means() -> None:
    from skipjack.rows import episode_dtype
    from skipjack.view.tally import Tally

    class Ends:
        rewards = np.zeros(1)
        terminated = truncated = np.ones(1, np.bool_)

    ends: Any = Ends()
    tally = Tally(1)
    for partial, score in ((True, 0.0), (False, 1.0), (False, 0.5)):
        ends.episodes = np.zeros(1, episode_dtype(()))
        ends.episodes["partial"], ends.episodes["score"] = partial, score
        tally.take(ends, np.ones(1, np.bool_))
    assert tally.counts[0] == 2
    assert tally.mean(0, "score") == 0.75
    assert tally.last(0)["score"] == 0.5


def test_a_folder_that_cannot_be_written_is_told_before_the_game(
    call: Call, screen: type[Held]
) -> None:
    Path("plays").write_text("")
    code, _, err = call("play", "pong")
    assert code == 1
    assert "The play must be kept in 'plays'" in sentence(err)
    assert not screen.made


def test_a_video_needs_no_screen(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("av")
    monkeypatch.delenv("DISPLAY", raising=False)
    run = train(call, "cartpole")["run"]
    code, out, err = call("watch", run, "--video", "a.mp4", "--episodes", "3", "--pick", "best")
    assert code == 0, err
    assert Path("a.mp4").stat().st_size > 1000
    assert out.splitlines()[-1] == "The video is in a.mp4."
    assert call("watch", "cartpole", "--player", "scripted", "--video", "b.gif")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["play"], 2, "A name must come first"),
        (["play", "brekout"], 2, "Did you mean 'breakout'"),
        (["play", "cartpole", "--every-tick"], 2, "--every-tick must go with a game that has several ticks"),
        (["play", "cartpole", "--players", "2"], 2, "An env for two must have two seats"),
        (["play", "grid", "--players", "2"], 2, "An env for two must have two seats"),
        (["play", "cartpole", "--against", "baseline:cartpole"], 2, "An env for two must have two seats"),
        (["play", "pong", "--video", "out.mp4"], 2, "then: skipjack watch plays/NAME --video"),
        (["play", "pong", "--against", "nobody"], 2, "There is no run 'nobody'"),
        (["play", "pong", "--against", "baseline:breakout"], 2, "must be a policy of the same game"),
        (["play", "pong", "--against", "baseline:pong", "--players", "2"], 2, "Two people must play"),
        (["play", "pong", "--port", "80"], 2, "--host and --port must come with --browser"),
        (["watch"], 2, "A name must come first"),
        (["watch", "nothing"], 2, "There is no run 'nothing'"),
        (["watch", "a.play"], 1, "must be a play that Skipjack kept"),
        (["watch", "squared", "--player", "scripted"], 2, "must be one that the game has"),
        (["watch", "baseline:pong", "--follow"], 2, "--follow must come with a run"),
        (["watch", "baseline:cartpole", "--opponent", "easy"], 2, "--opponent must be left out"),
        (["watch", "baseline:pong", "--opponent", "simple"], 2, "easy, medium"),
        (["watch", "baseline:pong", "--opponent", "easy", "--against", "random"], 2, "--opponent must"),
        (["watch", "baseline:pong", "--against", "baseline:breakout"], 2, "a policy of the same game"),
        (["watch", "baseline:cartpole", "--against", "random"], 2, "An env for two must have two seats"),
        (["watch", "pong", "--player", "random", "--against", "random"], 2, "--against must come with"),
        (["play", "squared", "--others", "scripted", "--against", "script"], 2, "An env for two must have"),
        (["watch", "baseline:pong", "--video", "a.avi"], 2, ".mp4"),
        (["watch", "breakout"], 2, "skipjack watch breakout --baseline, or --player random"),
        (["watch", "baseline:pong", "--pick", "best"], 2, "--pick must come with a video"),
        (["watch", "baseline:pong", "--video", "a.mp4", "--browser"], 2, "--browser must come with a screen"),
        (["watch", "x.play", "--follow"], 2, "--follow must come with a policy"),
        (["watch", "pong", "--player", "random", "--env.drop", "x"], 2, "--env.drop"),
        (["watch", "baseline:pong", "--pick", "worst"], 2, "worst"),
    ],
)  # fmt: skip
def test_mistakes_are_sentences(
    call: Call, screen: type[Held], arguments: list[str], code: int, said: str
) -> None:
    found, _, err = call(*arguments)
    assert said in sentence(err)
    assert found == code
    assert not screen.made


def test_a_browser_is_another_screen(tmp_path: Path) -> None:
    """The command prints its link, and ends when the process is interrupted."""
    pytest.importorskip("aiohttp")
    import signal

    process = subprocess.Popen(
        [sys.executable, "-m", "skipjack", "play", "breakout", "--browser"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("Open http://127.0.0.1:")
    assert "?token=" in line
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    assert "No episode was played to its end." in out
    assert "Traceback" not in err
