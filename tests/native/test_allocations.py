"""A step of a game allocates nothing, and ten million of them make the process no larger."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.games.fuzz import names

ROOT = Path(__file__).parents[2]

COUNTER = """
#define _GNU_SOURCE
#include <stdatomic.h>
#include <stddef.h>

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static atomic_long count;

long allocations(void) { return count; }

void *malloc(size_t size) { count++; return __libc_malloc(size); }
void *calloc(size_t items, size_t size) { count++; return __libc_calloc(items, size); }
void *realloc(void *old, size_t size) { count++; return __libc_realloc(old, size); }
void *aligned_alloc(size_t align, size_t size) { count++; return __libc_memalign(align, size); }
int posix_memalign(void **out, size_t align, size_t size)
{
    count++;
    return (*out = __libc_memalign(align, size)) ? 0 : 12;
}
"""
"""Stands in front of the C library and counts what a process asks it for."""


@pytest.mark.parametrize("steps", [1_000_000, pytest.param(10_000_000, marks=pytest.mark.slow)])
@pytest.mark.skipif(sys.platform != "linux", reason="the counter is preloaded in Linux's way")
def test_no_step_allocates_and_no_game_grows(tmp_path: Path, steps: int) -> None:
    source, library = tmp_path / "counter.c", tmp_path / "counter.so"
    source.write_text(COUNTER)
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", source, "-o", library], check=True)
    done = subprocess.run(
        [sys.executable, "-m", "tests.native.allocations", str(steps)],
        cwd=ROOT, capture_output=True, text=True,
        env=os.environ | {"LD_PRELOAD": str(library), "PYTHONMALLOC": "pymalloc"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    first, *rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert first == {"counted": 3}, "the counter sees what is allocated"
    assert [row["env"] for row in rows] == names()
    for row in rows:
        assert row["steps"] >= steps, row
        assert (row["alone"], row["threads"]) == (0, 0), row
        assert row["grown"] < 2**20, row
