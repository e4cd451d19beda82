"""Worker processes give the bytes of one process, however they start and whoever answers first."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from skipjack.errors import SkipjackError
from skipjack.policies.config import PolicyConfig
from skipjack.policies.policy import Policy
from skipjack.testing.corridor import Corridor
from skipjack.testing.vector import VectorContract
from skipjack.train.config import TrainConfig
from skipjack.train.ppo import PPO
from skipjack.vector import Processes, Serial, Vector, make, wrap
from tests.vector.fickle import Fickle

CORRIDOR = "skipjack.testing.corridor:Corridor"


class TestProcessesCorridor(VectorContract):
    def make_vector(self, groups: int = 1, final: str = "truncated") -> Vector:
        return Processes(Corridor, self.num_envs, 2, groups, final=final)

    def make_reference(self, groups: int = 1, final: str = "truncated") -> Vector:
        return Serial(Corridor(self.num_envs), groups=groups, final=final)


class TestProcessesFickle(VectorContract):
    def make_vector(self, groups: int = 1, final: str = "truncated") -> Vector:
        return Processes(Fickle, self.num_envs, 3, groups, final=final)

    def make_reference(self, groups: int = 1, final: str = "truncated") -> Vector:
        return Serial(Fickle(self.num_envs), groups=groups, final=final)


class TestProcessesThatMayRestart(TestProcessesFickle):
    def make_vector(self, groups: int = 1, final: str = "truncated") -> Vector:
        return Processes(Fickle, self.num_envs, 2, groups, final=final, on_crash="restart")


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("workers", [2, 3])
def test_names_of_statistics_come_in_the_order_of_one_process(workers: int, groups: int) -> None:
    """After every batch, whoever answers first."""
    one = Serial(Fickle(6), groups=groups)
    many = Processes(lambda n: Fickle(n, "late"), 6, workers, groups)
    contract = VectorContract()
    plays = contract.play(one, 60), contract.play(many, 60)
    grown = set()
    for own, other in zip(*plays, strict=True):
        assert own == other
        assert one.statistics == many.statistics
        grown.add(len(one.statistics))
    assert max(grown) == 5
    assert len(grown) > 2
    many.close()


def test_rows_may_lie_in_any_order() -> None:
    backwards = np.arange(12, dtype=np.int32)[::-1].reshape(6, 2).copy()
    one = Serial(Corridor(6), row_of=backwards)
    many = Processes(Corridor, 6, 2, row_of=backwards)
    contract = VectorContract()
    assert contract.digest(one, 200) == contract.digest(many, 200)
    many.close()


def test_spawned_workers_give_the_same() -> None:
    """Shipped by value: a lambda around what it closes over."""
    trouble = "late"
    vector = Processes(lambda n: Fickle(n, trouble), 4, 2, start="spawn")
    contract = VectorContract()
    assert contract.digest(vector, 60) == contract.digest(Serial(Fickle(4)), 60)
    assert vector.engine.scene(0)["omp"] == "1"
    vector.close()


SCRIPT = """
import os
from skipjack.testing.corridor import Corridor
from skipjack.vector import Processes

with open("runs", "a") as file:
    file.write("x")

class Own(Corridor):
    pass

def build(n):
    return Own(n)

vector = Processes(build, 4, 2, start="{start}")
vector.reset(0)
for step in range(20):
    vector.step([[1]] * 8)
print("went well")
"""


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_a_script_may_define_its_envs_and_forget_to_close(tmp_path: Path, start: str) -> None:
    """Without `if __name__ == "__main__"`, too: it runs but once."""
    (tmp_path / "own.py").write_text(SCRIPT.format(start=start))
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-W", "error", "own.py"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("went well\n", "", 0)
    assert (tmp_path / "runs").read_text() == "x"


def test_a_saved_vector_goes_on_with_any_number_of_workers() -> None:
    contract = VectorContract()
    first = Processes(Corridor, 6, 2)
    first.reset(3)
    *_, _ = contract.go_on(first, 25)
    saved = first.save()
    assert saved is not None
    saved = {name: array.copy() for name, array in saved.items()}
    expected = list(contract.go_on(first, 50))
    first.close()
    for other in (Processes(Corridor, 6, 3), Serial(Corridor(6))):
        other.load(saved)
        other.recv()
        assert list(contract.go_on(other, 50)) == expected
        other.close()
    short = Processes(Corridor, 4, 2)
    with pytest.raises(SkipjackError, match="Resume with the same"):
        short.load(saved)
    short.close()


def test_python_engines_alone_go_to_workers() -> None:
    kinds = {
        "corridor, 2": make(CORRIDOR, 8, workers=2),
        "corridor, 1": make(CORRIDOR, 8, workers=1),
        "corridor, few envs": make(CORRIDOR, 2, workers=8, groups=2),
        "corridor, more workers than envs": make(CORRIDOR, 4, workers=8, groups=2),
        "cartpole": make("cartpole", 8, workers=2, threads=1),
    }
    found = {name: getattr(vector, "workers", 1) for name, vector in kinds.items()}
    assert list(found.values()) == [2, 1, 1, 2, 1]
    assert type(kinds["corridor, 1"]) is Serial
    for vector in kinds.values():
        vector.close()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"start": "forkserver"}, "must be .*forkserver"),
        ({"on_crash": "weep"}, "must be .*weep"),
        ({"timeout": -1.0}, "at least 0"),
        ({"timeout": float("nan")}, "at least 0"),
        ({"final": "some"}, "Final must be"),
        ({"groups": 3}, "multiple of the number of groups"),
    ],
)
def test_settings_that_are_wrong_are_told(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(SkipjackError, match=words):
        wrap(Corridor, 8, workers=2, in_python=True, **wrong)
    with pytest.raises(SkipjackError, match=r"(?i)workers must be a whole number"):
        make(CORRIDOR, 8, workers=-1)
    with pytest.raises(SkipjackError, match="an env for each worker"):
        Processes(Corridor, 8, 5, groups=2)


def test_a_worker_keeps_to_itself() -> None:
    """A process and a thread of its own; Ctrl-C in the terminal is not for it."""
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    vector = Processes(Fickle, 4, 2)
    torch.set_num_threads(threads)
    seen = [vector.engine.scene(env) for env in range(4)]
    pids = [told["pid"] for told in seen]
    assert len({*pids, os.getpid()}) == 3
    assert pids[0] == pids[1]
    assert {told["threads"] for told in seen} == {1}
    vector.reset(0)
    for pid in set(pids):
        os.kill(pid, signal.SIGINT)
        os.kill(pid, signal.SIGTERM)
    for _ in range(5):
        vector.step(np.zeros((4, 1), np.int32))
    vector.close()


def test_an_engine_of_another_size_is_refused() -> None:
    with pytest.raises(SkipjackError, match="as many envs as it was asked for"):
        Processes(lambda n: Corridor(n + 1), 4, 2)


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs Linux's /proc")
def test_a_closed_vector_holds_nothing(tmp_path: Path) -> None:
    told = tmp_path / "told"

    def used() -> list[int]:
        vector = Processes(lambda n: Fickle(n, f"close {told}"), 4, 2)
        batch = vector.reset(0)
        pids = [link.process.pid for link in vector.crew.links]
        vector.step(np.zeros((4, 1), np.int32))
        vector.send(np.zeros((4, 1), np.int32))
        vector.close()
        vector.close()
        assert batch.observations.shape == (4, 2)  # still there for who holds it
        with pytest.raises(SkipjackError, match="have ended"):
            vector.reset(0)
        return pids

    used()
    before, shared = descriptors(), sorted(os.listdir("/dev/shm"))
    pids = used()
    assert descriptors() == before
    assert sorted(os.listdir("/dev/shm")) == shared
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert told.read_text() == "closed\n" * 4


def test_a_vector_that_is_forgotten_ends_its_workers() -> None:
    vector = Processes(Corridor, 4, 2)
    processes = [link.process for link in vector.crew.links]
    pids = [process.pid for process in processes]
    del vector, processes
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.mark.parametrize("groups", [1, 2])
def test_training_is_the_same_to_the_bit(groups: int) -> None:
    def weights(vector: Vector) -> bytes:
        torch.manual_seed(0)
        policy = Policy(vector.observation, vector.action, PolicyConfig(hidden=16, memory="lstm"))
        trainer = PPO(TrainConfig(steps=2000, horizon=8, minibatches=2), vector, policy)
        means: list[Any] = []
        trainer.run(lambda progress: means.append((progress.episodes, dict(progress.means))))
        vector.close()
        parts = [value.numpy().tobytes() for value in policy.state_dict().values()]
        assert means[-1][1]["goals"] >= 0
        return b"".join(parts) + repr(means).encode()

    one = weights(Serial(Corridor(8), groups=groups))
    assert weights(Processes(Corridor, 8, 2, groups)) == one


def test_a_setting_of_the_env_is_no_keyword_of_make() -> None:
    """Native games, which need no worker processes, would pass over it."""
    with pytest.raises(
        SkipjackError, match=r"got 'frame_skip'\. .* config=\{'frame_skip': \.\.\.\}"
    ):
        make("breakout", 1, frame_skip=1)
