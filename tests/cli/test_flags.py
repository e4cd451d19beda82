"""What flags say and how they are read: one way of reading numbers, one sentence for a mistake."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from skipjack.cli import flags
from skipjack.cli.sweep.begin import SweepFlags, _unseeded
from skipjack.run.config import configure
from tests.cli.conftest import TINY, Call, sentence, train


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "pong", "--train.learning-rat=1"], "no flag '--train.learning-rat'. Did you mean"),
        (["train", "pong", "--train.learning-rat=1"], "'--train.learning-rate'"),
        (["train", "pong", "--thread", "1"], "'--threads'"),
        (["train", "pong", "twice"], "Only flags may follow, but got 'twice'. See them with: skipjack"),
        (["train", "pong", "--run"], "'--run' must be followed by its value"),
        (["train", "pong", "--run", "--resume"], "'--run' must be followed by its value"),
        (["train", "pong", "--run", "-x"], "'--run' must be followed by its value"),
        (["train", "pong", "--train.steps", "--seed=1"], "'--train.steps' must be followed"),
        (["train", "pong", "--json=maybe"], "--json must be true or false, but got 'maybe'"),
        (["train", "pong", "--train.normalise-rewards=maybe"], "must be true or false"),
        (["train", "pong", "--train.adam-beta1", "1.0"], "must be between 0 and 0.999999"),
        (["train", "--json", "breakout"], "A name must come first"),
        (["train", "PONG"], "Did you mean 'pong'"),
        (["train", "pong/"], "There is no environment 'pong/'. Did you mean 'pong'"),
        (["eval", "it", "--episodes", "2.5"], "--episodes must be a whole number, but got '2.5'"),
        (["eval", "it", "--episodes", "-1e3"], "--episodes must be at least 1, but got '-1e3'"),
        (["eval", "it", "--workers", "-1"], "--workers must be between 0 and 1024"),
        (["eval", "it", "--threads", "all"], "--threads must be a whole number, but got 'all'"),
        (["eval", "it", "--epsodes", "3"], "Did you mean '--episodes'"),
        (["bench", "steps", "pong", "--seconds", "soon"], "--seconds must be a number"),
        (["bench", "steps", "pong", "--repetitions", "0"], "--repetitions must be between 1 and"),
        (["bench", "suite", "--seeds", "0"], "--seeds must be between 1 and"),
        (["runs", "--sort", "luck"], "--sort must be one of when, score"),
        (["runs", "--min-score", "good"], "--min-score must be a number"),
        (["train", "pong", "--run", "n" * 300], "at most 200 bytes"),
        (["train", "pong", "--resume", "--run", "n" * 300], "There is no run 'nnn"),
        (["train", "pong", "--run=-x"], 'without "." or "-" in front'),
        (["train", "pong", "--run=.x"], 'without "." or "-" in front'),
        (["eval", "n" * 300], "There is no run 'nnn"),
        (["runs", "show", "n" * 300], "There is no run 'nnn"),
    ],
    ids=lambda part: " ".join(part)[:50] if isinstance(part, list) else "",
)  # fmt: skip
def test_a_mistake_is_one_sentence_and_the_same_as_json(
    call: Call, arguments: list[str], words: str
) -> None:
    code, out, err = call(*arguments)
    told = sentence(err)
    assert words in told
    assert code == 2
    assert (out == "") == ("--json" not in arguments)
    again, out, err = call(*arguments, "--json")
    assert sentence(err) == told
    assert json.loads(out) == {"error": told, "exit_code": code}
    assert again == code
    assert not Path("runs").exists() or not list(Path("runs").iterdir())


def test_a_value_that_reads_like_a_setting_gives_none() -> None:
    """`--only train.clip` searches the clip; it does not hold it."""
    words = ["--only", "train.clip", "--train.epochs", "3", "--train.no-normalise-rewards"]
    config = configure("password").config
    own, chosen = flags.parse(SweepFlags, words, "skipjack sweep ENV", "", _unseeded(config))
    assert own.only == "train.clip"
    assert set(chosen) == {"train.epochs", "train.normalise_rewards"}


def test_numbers_of_own_flags_are_read_as_settings_are(call: Call) -> None:
    train(call)
    row = json.loads(call("eval", "cartpole-1", "--episodes", "1.6e1", "--seed=1e1", "--json")[1])
    assert row["episodes"] == 16
    quick = ["--seconds", "5e-2", "--repetitions", "1_0e-1", "--vector.num-envs", "6.4e1", "--json"]
    assert json.loads(call("bench", "steps", "pong", *quick)[1])["rows"] == 64
    listed = json.loads(call("runs", "--limit", "1e0", "--min-score=none", "--json")[1])
    assert len(listed["runs"]) == 1


def test_threads_of_an_evaluation(call: Call) -> None:
    train(call)
    one, two = (
        json.loads(call("eval", "cartpole-1", "--episodes=8", *threads, "--json")[1])
        for threads in (["--threads", "1"], ["--threads=2"])
    )
    assert one["episodes"] == 8
    assert one["score"] == two["score"], "threads change speed only"


def test_an_evaluation_names_run_and_checkpoint(call: Call) -> None:
    row = train(call)
    found = json.loads(call("eval", "cartpole-1", "--episodes=8", "--json")[1])
    assert found["run"] == row["run"]
    assert found["checkpoint"] == "runs/cartpole-1/checkpoints/000000000512"
    older = "runs/cartpole-1/checkpoints/000000000000"
    found = json.loads(call("eval", older, "--episodes=8", "--json")[1])
    assert (found["run"], found["checkpoint"], found["steps"]) == (row["run"], older, 0)
    out = call("eval", "cartpole-1", "--episodes=8")[1]
    assert out.startswith("cartpole at step 512. Evaluation: score 0.")
    assert "inal evaluation" not in out


# ---- settings from files ----


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[train]\nsteps = [3]\n", "train.steps must be a whole number, but got [3]"),
        ("[train]\nsteps = 1979-05-27\n", "train.steps must be a whole number"),
        ("[train.steps]\nx = 3\n", "no setting 'train.steps.x'"),
        ("train = 3\n", "no setting 'train'"),
        ("[train]\noptimiser = ['adam']\n", "train.optimiser must be"),
        ("[train]\nnormalise_rewards = 'maybe'\n", "train.normalise_rewards must be true or false"),
        ("[train]\ndiscount = nan\n", "train.discount must be a number"),
        ("[train]\nsteps = inf\n", "train.steps must be a whole number"),
        ("seed = true\n", "Seed must be a whole number"),
        ("name = 'squared'\n", "must be of the same environment"),
        ("name = 3\n", "no environment '3'"),
        ("name = 'x\n", "must be TOML"),
    ],
)
def test_a_settings_file_that_is_wrong(call: Call, text: str, words: str) -> None:
    Path("mine.toml").write_text(text)
    code, _, err = call("train", "cartpole", "--config", "mine.toml")
    assert code == 2
    assert words in sentence(err)
    assert not Path("runs").exists()


def test_the_settings_of_a_run_are_a_settings_file(call: Call) -> None:
    train(call, "cartpole", "--train.clip=0.3")
    file = "runs/cartpole-1/config.toml"
    code, _, err = call("train", "cartpole", "--config", file)
    assert code == 0, err
    text = Path("runs/cartpole-2/config.toml").read_text()
    assert "clip = 0.3" in text
    assert text.partition("\n")[2] == Path(file).read_text().partition("\n")[2]
    code, _, err = call("train", "squared", "--config", file)
    assert code == 2
    assert "must be of the same environment" in sentence(err)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[vector]\nnum_envs = 8\n", "may only set vector.threads"),
        ("[train]\nthreads = 1\n", "may only set vector.threads"),
        ("threads = 1\n", "may only set vector.threads"),
        ("[vector]\nthreads = 'many'\n", "vector.threads must be a whole number"),
        ("[vector]\nthreads = -1\n", "vector.threads must be between"),
        ("'vector.threads' = -1\n", "vector.threads must be between"),
        ("[vector\n", "must be TOML"),
    ],
)
def test_a_machine_file_that_is_wrong(call: Call, text: str, words: str) -> None:
    """What other commands would refuse, doctor reports."""
    Path("machine.toml").write_text(text)
    for command in (["train", "cartpole"], ["config", "show", "cartpole"]):
        code, _, err = call(*command)
        assert code == 2
        assert words in sentence(err)
    code, out, _ = call("doctor")
    assert code == 1
    assert words in out
    assert not Path("runs").exists()


def test_a_machine_file_sets_the_threads(call: Call) -> None:
    Path("machine.toml").write_text("[vector]\nthreads = 1\n")
    train(call)
    assert "threads = 1" in Path("runs/cartpole-1/config.toml").read_text().split("[policy]")[0]
    shown = json.loads(call("config", "show", "cartpole", "--json")[1])["settings"]
    assert shown["vector.threads"] == {"value": 1, "from": "machine machine.toml"} or (
        shown["vector.threads"]["from"].startswith("machine ")
    )
    assert call("doctor")[0] == 0


@pytest.mark.parametrize(
    ("env", "opponent", "words"),
    [
        ("pong", "bogus", "eval.opponent must be one of follower, "),
        ("cartpole", "easy", "eval.opponent must be empty for a game that takes no opponent"),
    ],
)
def test_an_opponent_that_is_wrong_shows_before_training(
    call: Call, env: str, opponent: str, words: str
) -> None:
    code, _, err = call("train", env, *TINY, "--eval.opponent", opponent)
    assert code == 2
    assert words in sentence(err)
    assert list(Path("runs").iterdir()) == []
    row = train(call, env)  # the name is free
    assert row["run"] == f"runs/{env}-1"
    for command in (
        ["eval", f"{env}-1", "--opponent", opponent],
        ["train", env, "--resume", "--train.steps=1024", "--eval.opponent", opponent],
    ):
        code, _, err = call(*command)
        assert code == 2
        assert words in sentence(err)
    assert "finished" in call("runs")[1]


@pytest.mark.parametrize("words", [["eval"], ["watch"], ["play", "pong/two", "--against"]])
def test_a_file_that_is_no_policy(call: Call, tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "bad.json").write_text("{}")
    code, _, err = call(*words, "bad.json")
    assert code == 2
    assert "a file of weights (*.safetensors), but got file='bad.json'" in sentence(err)
