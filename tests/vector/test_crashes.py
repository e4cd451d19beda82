"""Workers that raise, die or hang: told in words, noticed in time, replaced if the user wants that."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skipjack.errors import EnvError, MissingPackage, RunError, SkipjackError, UsageError
from skipjack.rows import Batch
from skipjack.vector import Processes, Serial, crew
from tests.vector.fickle import TROUBLE, Fickle, Unmade

STARTS = ["fork", "spawn"]


def vector_of(trouble: str, groups: int = 1, workers: int = 2, **settings: Any) -> Processes:
    """Six envs, three a worker."""
    return Processes(lambda n: Fickle(n, trouble), 6, workers, groups, **settings)


def actions(*troubled: int, size: int = 6) -> np.ndarray[Any, Any]:
    """Ones, and trouble for some rows."""
    chosen = np.ones((size, 1), np.int32)
    chosen[list(troubled)] = TROUBLE
    return chosen


def assert_ended(vector: Processes) -> None:
    """All workers are gone, and the vector says so."""
    assert all(link.process is None for link in vector.crew.links)
    with pytest.raises(RunError, match="have ended"):
        vector.reset(0)
    vector.close()


# ---- on_crash = "stop" ----


@pytest.mark.parametrize("on_crash", ["stop", "restart"])
def test_an_env_that_raises_is_named_with_its_seed(on_crash: str) -> None:
    vector = vector_of("env", on_crash=on_crash)
    vector.reset(7)
    seed = int(vector.crew.seeds[4])
    with pytest.raises(EnvError, match=rf"Env 4 \(seed {seed}\) must not fail") as caught:
        vector.step(actions(4))
    assert (caught.value.env, caught.value.seed) == (4, seed)
    assert_ended(vector)


@pytest.mark.parametrize(("trouble", "words"), [("raise", "no such gear"), ("leave", "SystemExit")])
@pytest.mark.parametrize("start", STARTS)
def test_an_engine_that_raises_is_told_with_its_traceback(
    trouble: str, words: str, start: str
) -> None:
    vector = vector_of(trouble, groups=2, start=start)
    vector.reset(0)
    vector.recv()
    vector.send(actions(2, size=3), 1)
    with pytest.raises(RunError) as caught:
        vector.recv()
    text = str(caught.value)
    assert text.startswith("The engine of envs 4 to 5 must not fail, but raised:")
    assert "fickle.py" in text
    assert words in text
    assert_ended(vector)


@pytest.mark.parametrize(
    ("trouble", "words"), [("exit", "exited with code 3"), ("kill", "was ended by SIGKILL")]
)
@pytest.mark.parametrize("start", STARTS)
def test_a_worker_that_dies_stops_the_run_at_once(trouble: str, words: str, start: str) -> None:
    vector = vector_of(trouble, groups=2, start=start, timeout=0)
    vector.reset(0)
    with pytest.raises(RunError, match=f"Worker 1, which had envs 1 to 2 and 4 to 5, {words}"):
        vector.step(actions(2, size=3))
    assert_ended(vector)


def test_a_worker_that_is_killed_between_steps_is_noticed() -> None:
    vector = vector_of("", timeout=0)
    vector.reset(0)
    os.kill(vector.crew.links[0].process.pid, signal.SIGKILL)
    with pytest.raises(RunError, match="Worker 0, which had envs 0 to 2, was ended by SIGKILL"):
        vector.step(actions())
    assert_ended(vector)


def test_death_is_noticed_while_another_worker_is_busy() -> None:
    """The first one takes ten minutes, the second one dies: nobody waits for the first."""
    vector = Processes(lambda n: Mixed(n), 6, 2, timeout=0)
    vector.reset(0)
    with pytest.raises(RunError, match="Worker 1, which had envs 3 to 5, exited with code 3"):
        vector.step(actions(0, 3))
    assert_ended(vector)


class Mixed(Fickle):
    """Hangs in rows below 3, exits in the others."""

    def _fail(self, env: int) -> None:
        self.trouble = "hang" if self.row_of[env] < 3 else "exit"
        super()._fail(env)


def test_a_worker_that_hangs_is_told_after_the_timeout() -> None:
    vector = vector_of("hang", timeout=0.3)
    vector.reset(0)
    with pytest.raises(RunError, match=r"Worker 0, .* did not answer within 0.3 s and was killed"):
        vector.step(actions(1))
    assert_ended(vector)


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ("raise", r"must be constructible, but got ValueError: no such gear \(.*fickle.py:\d+\)"),
        ("exit", "exited with code 3"),
        ("leave", "got SystemExit"),
    ],
)
def test_envs_that_cannot_be_made(trouble: str, words: str, start: str) -> None:
    with pytest.raises(RunError, match=words):
        Processes(lambda n: Unmade(n, trouble), 4, 2, start=start, on_crash="restart")


def test_envs_that_take_for_ever_to_make(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "START_SECONDS", 0.3)
    with pytest.raises(RunError, match=r"did not answer within 0\.3 s"):
        Processes(lambda n: Unmade(n, "hang"), 4, 2, timeout=0.1)


@pytest.mark.parametrize("kind", [UsageError, MissingPackage])
def test_a_users_mistake_in_a_worker_stays_one(kind: type[SkipjackError]) -> None:
    def build(n: int) -> Any:
        raise kind("There is no level 9.")

    with pytest.raises(kind, match=r"^There is no level 9\.$"):
        Processes(build, 4, 2)


# ---- on_crash = "restart" ----


def compare_untouched(batch: Batch, other: Batch, rows: slice) -> None:
    for name in ("observations", "rewards", "terminated", "truncated", "alive"):
        assert np.array_equal(getattr(batch, name)[rows], getattr(other, name)[rows]), name


@pytest.mark.parametrize("trouble", ["exit", "kill", "hang"])
def test_a_worker_that_crashes_is_replaced(trouble: str) -> None:
    """Its envs' episodes are cut where they stood; the other worker's go on as ever."""
    vector = vector_of(trouble, on_crash="restart", timeout=0.5)
    reference = Serial(Fickle(6))
    before, other = vector.reset(1), reference.reset(1)
    returns, lengths, episodes = np.zeros(6), np.zeros(6, int), np.zeros(6, int)
    for step in range(40):
        seen, crash = before.observations.copy(), step == 20
        batch = vector.step(actions(4) if crash else actions())
        other = reference.step(actions())
        compare_untouched(batch, other, slice(0, 3))
        if crash:
            assert batch.truncated[3:].all()
            assert not batch.terminated[3:].any()
            assert not batch.rewards[3:].any()
            assert (batch.observations[3:, 0] == 0).all(), "new episodes have begun"
            last = batch.final.observations[np.isin(batch.final.rows, [3, 4, 5])]
            assert np.array_equal(last, seen[3:])
        returns += batch.rewards
        lengths += 1 if not crash else np.array([1, 1, 1, 0, 0, 0])
        ended = np.flatnonzero(batch.terminated | batch.truncated)
        assert list(batch.episodes["row"]) == list(batch.episodes["env"]) == list(ended)
        assert batch.episodes["return"] == pytest.approx(returns[ended])
        assert list(batch.episodes["length"]) == list(lengths[ended])
        assert list(batch.episodes["episode"]) == list(episodes[ended])
        assert list(batch.episodes["partial"]) == [crash and row >= 3 for row in ended]
        returns[ended], lengths[ended] = 0, 0
        episodes[ended] += 1
        before = batch
    assert vector.restarts == 1
    (message,) = vector.take_messages()
    assert "envs 3 to 5" in message
    assert "restart 1" in message
    assert vector.take_messages() == []
    vector.close()


@pytest.mark.parametrize("under_way", [True, False])
def test_a_crash_leaves_the_other_groups_batch_as_it_was(under_way: bool) -> None:
    """What was delivered stays; those envs begin anew in their own group's next step."""
    vector = vector_of("exit", groups=2, on_crash="restart")
    vector.reset(1)
    kept = vector.recv()
    seen = kept.observations.copy()
    if under_way:
        vector.send(actions(0, size=3), 0)
        vector.send(actions(size=3), 1)
        first, second = vector.recv(), vector.recv()
    else:
        vector.send(actions(0, size=3), 0)
        first = vector.recv()
        assert np.array_equal(kept.observations, seen)
        vector.send(actions(size=3), 1)
        second = vector.recv()
    for batch in (first, second):
        assert list(batch.truncated[:1]) == [True]
        assert batch.episodes["partial"].tolist()[0]
    assert np.array_equal(second.final.observations[0], seen[0])
    assert vector.restarts == 1
    for group in (0, 1, 0, 1):
        vector.send(actions(size=3), group)
        assert not vector.recv().episodes["partial"].any()
    vector.close()


def test_a_replaced_env_draws_from_a_stream_of_its_own() -> None:
    def first_episodes(*crashes: int) -> list[bytes]:
        vector = vector_of("exit", on_crash="restart")
        found = [vector.reset(1).observations[3:].tobytes()]
        for step in range(6):
            batch = vector.step(actions(3) if step in crashes else actions())
            if step in crashes:
                found.append(batch.observations[3:].tobytes())
        vector.close()
        return found

    one = first_episodes(2, 4)
    assert len(set(one)) == 3
    assert first_episodes(1, 3) == one, "the same beginnings, whenever it crashes"


def test_a_crash_is_survived_in_a_reset_too() -> None:
    vector = vector_of("", on_crash="restart")
    first = vector.reset(5).observations.copy()
    os.kill(vector.crew.links[1].process.pid, signal.SIGKILL)
    assert np.array_equal(vector.reset(5).observations, first)
    assert vector.restarts == 1
    os.kill(vector.crew.links[1].process.pid, signal.SIGKILL)
    assert vector.save() is None
    assert vector.step(actions()).episodes["partial"].sum() == 3
    vector.close()


class Doomed(Fickle):
    """Cannot begin anew."""

    def reset(self, lo: int, hi: int, seeds: Any) -> None:
        if self.trouble and os.path.exists(self.trouble):
            os._exit(4)
        super().reset(lo, hi, seeds)


def test_a_worker_that_never_gets_to_a_step_stops_the_run(tmp_path: Path) -> None:
    mark = tmp_path / "broken"
    vector = Processes(lambda n: Doomed(n, str(mark)), 4, 2, on_crash="restart")
    vector.reset(0)
    mark.touch()
    os.kill(vector.crew.links[0].process.pid, signal.SIGKILL)
    with pytest.raises(RunError, match=r"exited with code 4\. It was restarted 3 times"):
        vector.step(np.ones((4, 1), np.int32))
    assert_ended(vector)


def test_crashes_with_steps_between_them_go_on() -> None:
    vector = vector_of("exit", on_crash="restart")
    vector.reset(0)
    for _ in range(5):
        vector.step(actions(0))
        vector.step(actions())
    assert vector.restarts == 5
    vector.close()


# ---- the parent's own death ----

PARENT = """
import time
from skipjack.vector import Processes
from tests.vector.fickle import Fickle

vectors = [Processes(lambda n: Fickle(n, "hang"), 4, 2, start="{start}") for _ in range(2)]
for vector in vectors:
    vector.reset(0)
if {busy}:
    vectors[0].send([[3]] * 4)
print(*[link.process.pid for vector in vectors for link in vector.crew.links], flush=True)
time.sleep(600)
"""


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("busy", [False, True])
def test_workers_die_with_their_parent(start: str, busy: bool) -> None:
    """Killed without a chance to clean up, its workers waiting or in the middle of a step."""
    shared = sorted(os.listdir("/dev/shm"))
    root = str(Path(__file__).parents[2])
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(start=start, busy=busy)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
        env=os.environ | {"PYTHONPATH": root},
    )
    assert parent.stdout is not None
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(pids) == 4
    assert all(map(alive, pids))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    until = time.monotonic() + 10
    while any(map(alive, pids)):
        assert time.monotonic() < until, "orphans are left"
        time.sleep(0.05)
    assert sorted(os.listdir("/dev/shm")) == shared
