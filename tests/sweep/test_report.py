"""The page in a real Chromium without a network, and what stands in it."""

from __future__ import annotations

import html.parser
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import TrialState, create_trial

from skipjack.sweep import pictures
from skipjack.sweep.report import data_of, page_of
from skipjack.sweep.sampler import AIM
from skipjack.sweep.study import Sweep
from tests.sweep.conftest import Make

MUST_SEE = bool(os.environ.get("CI") or os.environ.get("SKIPJACK_MUST_SEE"))


@pytest.fixture
def sweep(make: Make) -> Sweep:
    made = make(trials=30)
    assert made.ask().number == 0  # the preset, from the queue
    made.fail(0, "nan", why='Losses </script><b onload="x">must</b> be finite.', run="00000")
    for i in range(1, 31):
        steps, rate = 100 + 30 * i, 0.001 + 0.0006 * ((7 * i) % 30)
        cost, layers = steps / 1000, 1 + i % 2
        score = min(1.0, cost) * (1 - 60 * abs(rate - 0.01))
        known: dict[str, Any] = {"score_ci95": 0.02, "cost_s": cost, "steps": steps, "seed": i}
        known |= {"ask_s": cost / 50, "between_s": cost / 20, "start_s": cost / 4, "factor": 0.5}
        known["curve"] = [[cost * k / 8, score * k / 8, steps * k / 8] for k in range(1, 9)]
        if i == 30:
            known |= {"stopped": True, "why": "At 1 s it was behind."}
        values = {"train.steps": steps, "train.learning_rate": rate, "policy.layers": layers}
        made.study.add_trial(
            create_trial(
                params=values,
                distributions=made.distributions,
                values=(score, cost),
                user_attrs=known,
                system_attrs={AIM: cost * 1.1},
            )
        )
    return made


class Addresses(html.parser.HTMLParser):
    """Every address that a page would load."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in ("src", "href")]


def test_what_the_page_says_is_what_the_study_says(sweep: Sweep) -> None:
    data = data_of(sweep)
    trials = sweep.trials()
    assert len(data["trials"]) == 31
    assert data["trials"][0]["state"] == "nan"
    assert data["front"] == [trial.number for trial in sweep.front()]
    assert 30 not in data["front"]  # stopped early
    costs = [trials[number].values for number in data["front"]]
    assert costs == sorted(costs)
    assert "--train.learning-rate=" in data["trials"][5]["command"]
    importance = dict(data["importance"])
    assert importance["train.learning_rate"] > 2 * importance["policy.layers"]
    assert "train.steps" not in importance
    assert trials[0].state == TrialState.FAIL
    # A cost of 1 was 2 s on this machine.
    assert "choosing took 1.0% of the trainings' time, book-keeping 1.5%" in data["summary"]
    assert "start-up and end 12.5% (0.1 s a trial)" in data["summary"]


def test_repeats_show_how_far_their_scores_are_apart(sweep: Sweep) -> None:
    """0.1 and 0.1 + 0.06 have a deviation of 0.06 / sqrt 2."""
    first = sweep.trials()[7]
    score, cost = first.values
    for more, known in ((0.06, {}), (0.5, {"stopped": True})):
        sweep.study.add_trial(
            create_trial(
                params=first.params, distributions=first.distributions,
                values=(score + more, cost), user_attrs=known,
            )
        )  # fmt: skip
    rows = data_of(sweep)["trials"]
    assert rows[7]["spread"] == rows[31]["spread"] == pytest.approx(0.06 / 2**0.5)
    assert [row["number"] for row in rows if row["spread"] is not None] == [7, 31]


def test_the_page_loads_nothing_and_data_cannot_end_their_script(sweep: Sweep) -> None:
    page = page_of(data_of(sweep))
    parser = Addresses()
    parser.feed(page)
    assert all(address.startswith("data:") for address in parser.found)
    assert "default-src 'none'" in page
    assert page.count("</script>") == 2
    assert "<b onload" not in page


def test_pictures_are_drawn(sweep: Sweep, tmp_path: Path) -> None:
    pictures.require()
    written = pictures.draw(tmp_path, data_of(sweep))
    names = ["front", "along", "importance", "curves", "cost"]
    assert [path.name for path in written] == [f"{name}.png" for name in names]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in written)


def test_an_empty_sweep_has_a_page(make: Make, tmp_path: Path) -> None:
    data = data_of(make())
    assert data["front"] == data["importance"] == []
    assert pictures.draw(tmp_path, data) == []
    assert "<title>Sweep small</title>" in page_of(data)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    sync = pytest.importorskip("playwright.sync_api") if not MUST_SEE else None
    if sync is None:
        from playwright import sync_api as sync
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    with sync.sync_playwright() as playwright:
        if not path and not os.path.exists(playwright.chromium.executable_path):
            reason = "Chromium is missing (apt-get install chromium)"
            pytest.fail(reason) if MUST_SEE else pytest.skip(reason)
        root = hasattr(os, "geteuid") and os.geteuid() == 0
        made = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"] * root)
        yield made
        made.close()


@pytest.fixture
def page(chromium: Any, sweep: Sweep, tmp_path: Path) -> Iterator[Any]:
    file = tmp_path / "report.html"
    file.write_text(page_of(data_of(sweep)), encoding="utf-8")
    context = chromium.new_context(offline=True, viewport={"width": 1200, "height": 900})
    made = context.new_page()
    made.set_default_timeout(120_000)
    errors: list[str] = []
    asked: list[str] = []
    made.on("pageerror", lambda error: errors.append(str(error)))
    made.on("console", lambda told: errors.append(told.text) if told.type == "error" else None)
    made.on("request", lambda request: asked.append(request.url))
    made.goto(file.as_uri())
    yield made
    assert errors == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    context.close()


@pytest.mark.slow
def test_every_view_is_drawn_from_the_data(page: Any, sweep: Sweep) -> None:
    assert page.locator("#front circle.dot").count() == 30
    assert page.locator("#front line.whisker").count() == 30
    assert page.locator("#along svg").count() == len(sweep.space.parameters)
    assert page.locator("#importance rect").count() == 2
    assert page.locator("#parallel path.curve").count() == 30
    assert page.locator("#curves path.curve").count() == 30
    assert page.locator("#cost circle").count() == 30
    assert page.locator("#trials tbody tr").count() == 31
    assert "NaN" not in page.content().split('id="data"')[0]


@pytest.mark.slow
def test_the_table_sorts_filters_and_shows_the_command(page: Any, sweep: Sweep) -> None:
    best = max((t for t in sweep.trials() if t.values), key=lambda t: t.values[0])
    page.locator("#trials th", has_text="score").click()
    first = page.locator("#trials tbody tr").first
    assert first.get_attribute("data-trial") == str(best.number)
    page.locator("#filter").fill("learning_rate<0.005 score>0")
    assert 0 < page.locator("#trials tbody tr").count() < 12
    page.locator("#filter").fill("cost<0.5")  # the column says "cost s"
    assert page.locator("#trials tbody tr").count() == sum(
        t.values[1] < 0.5 for t in sweep.trials() if t.values
    )
    page.locator("#filter").fill("onload")
    assert page.locator("#trials tbody tr").count() == 1
    page.locator("#filter").fill("")
    page.locator(f'#trials tr[data-trial="{best.number}"] button').click()
    told = page.locator("#chosen code").inner_text()
    assert f"--train.steps={best.params['train.steps']}" in told
    assert page.locator("#front circle.picked").get_attribute("data-trial") == str(best.number)


@pytest.mark.slow
def test_a_brush_narrows_every_view_and_goes_away_again(page: Any, sweep: Sweep) -> None:
    """The upper half of the last axis, the score."""
    axis = page.locator("#parallel rect.catch").last
    axis.scroll_into_view_if_needed()
    box = axis.bounding_box()
    x = box["x"] + box["width"] / 2
    page.mouse.move(x, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(x, box["y"] + box["height"] / 2)
    page.mouse.up()
    assert page.locator("#parallel rect.brush").count() == 1
    shown = page.locator("#trials tbody tr").count()
    scores = sorted(t.values[0] for t in sweep.trials() if t.values)
    middle = (scores[0] + scores[-1]) / 2
    assert shown == sum(score >= middle for score in scores)
    assert page.locator("#curves path.curve").count() == shown
    axis = page.locator("#parallel rect.catch").last
    axis.click(position={"x": 14, "y": 40})
    assert page.locator("#parallel rect.brush").count() == 0
    assert page.locator("#trials tbody tr").count() == 31


@pytest.mark.slow
def test_curves_take_another_axis_and_smoothing(page: Any) -> None:
    before = page.locator("#curves path.curve").first.get_attribute("d")
    page.locator("#axis").select_option("0")
    assert "cost in seconds" in page.locator("#curves svg").text_content()
    page.locator("#smooth").fill("0.9")
    assert page.locator("#curves path.curve").first.get_attribute("d") != before
    page.locator("#colour").select_option("train.learning_rate")
    fills = {
        page.locator("#front circle.dot").nth(i).get_attribute("fill") for i in range(0, 30, 5)
    }
    assert len(fills) > 3


def test_the_data_are_json(sweep: Sweep) -> None:
    page = page_of(data_of(sweep))
    text = page.split('id="data">', 1)[1].split("</script>", 1)[0]
    assert json.loads(text)["name"] == "small"
