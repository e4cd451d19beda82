"""`.ci/screens`: what it installs for tests of windows and pages, and what it says where it cannot."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / ".ci" / "screens"
TOOLS = ("grep", "mktemp", "rm", "tail")

pytestmark = pytest.mark.skipif(os.name == "nt", reason="a shell script")


@pytest.fixture
def system(tmp_path: Path) -> Path:
    """A folder of commands: a Debian with everything but xvfb, and no other command at all."""
    for tool in TOOLS:
        found = next(p for p in ("/bin", "/usr/bin") if Path(p, tool).exists())
        (tmp_path / tool).symlink_to(Path(found, tool))
    command(tmp_path, "chromium", "")
    command(tmp_path, "dpkg-query", '[ "$4" = xvfb ] || echo "ii "')
    command(tmp_path, "apt-get", 'echo "$@" >>"${0%/*}/asked"; echo many words')
    command(tmp_path, "id", "echo 0")
    return tmp_path


def command(folder: Path, name: str, lines: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{lines}\n")
    (folder / name).chmod(0o755)


def screens(system: Path) -> tuple[int, list[str], list[str]]:
    """Its exit code, what it said, and what apt-get was asked for."""
    done = subprocess.run(
        ["/bin/sh", SCRIPT], env={"PATH": str(system)}, capture_output=True, text=True
    )
    asked = system / "asked"
    lines = asked.read_text().splitlines() if asked.exists() else []
    return done.returncode, (done.stderr + done.stdout).splitlines(), lines


def test_what_is_missing_is_installed_in_a_line(system: Path) -> None:
    code, said, asked = screens(system)
    assert (code, said) == (0, ["screens: installed xvfb"])
    assert [line.split()[-1] for line in asked] == ["update", "xvfb"]


def test_a_browser_is_missing_too(system: Path) -> None:
    (system / "chromium").unlink()
    command(system, "dpkg-query", '[ "$4" = chromium ] || echo "ii "')
    assert screens(system)[1] == ["screens: installed chromium"]
    command(system, "google-chrome", "")
    (system / "asked").unlink()
    assert screens(system) == (0, [], [])


def test_where_all_is_there_nothing_is_done(system: Path) -> None:
    command(system, "dpkg-query", 'echo "ii "')
    assert screens(system) == (0, [], [])


@pytest.mark.parametrize("step", ["update", "install"])
def test_a_failure_is_seen_and_no_more_than_that(system: Path, step: str) -> None:
    command(system, "apt-get", f'case "$*" in *{step}*) echo "E: no network"; exit 100;; esac')
    code, said, _ = screens(system)
    assert code == 1
    assert said[0] == "E: no network"
    assert said[-1].startswith("screens: apt-get could not install xvfb")


def test_nobody_is_asked_for_a_password(system: Path) -> None:
    command(system, "id", "echo 1000")
    code, said, asked = screens(system)
    assert (code, asked) == (1, [])
    assert said == [
        "screens: not installed, that needs root; the tests that lack it skip: apt install xvfb"
    ]
    command(system, "sudo", '[ "$1" = -n ] && shift && exec "$@"')
    command(system, "true", "")
    assert screens(system)[0] == 0


def test_elsewhere_it_says_so(system: Path) -> None:
    (system / "apt-get").unlink()
    code, said, _ = screens(system)
    assert code == 1
    assert len(said) == 1
    assert "no Debian" in said[0]
