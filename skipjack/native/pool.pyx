# distutils: language = c++
"""Threads that step ranges of native games without the GIL."""

from skipjack.errors import must
from skipjack.native.kernel cimport Game

cdef extern from "pool.hpp" namespace "skipjack" nogil:
    ctypedef void (*Range)(void* context, int lo, int hi) noexcept nogil
    cdef cppclass CPool "skipjack::Pool":
        CPool(int workers, int jobs) except +
        void post(int index, Range run, void* context, int lo, int hi, int chunks)
        void finish(int index)


cdef void _step(void* game, int lo, int hi) noexcept nogil:
    (<Game>game).step_range(lo, hi)


cdef class Pool:
    """`threads - 1` threads that step a game beside the caller.

    Args:
        game: the native engine.
        threads: threads in all, the caller's included, at least 1.
        jobs: number of groups, each of which may have one step under way.
    """

    cdef CPool* pool
    cdef Game game
    cdef int threads
    cdef int jobs

    def __cinit__(self, Game game, int threads, int jobs):
        if threads < 1:
            raise must("threads must be at least 1", threads=threads)
        self.game, self.threads, self.jobs = game, threads, jobs
        self.pool = new CPool(threads - 1, jobs)

    def __dealloc__(self):
        with nogil:
            del self.pool

    def post(self, int job, int lo, int hi):
        """Begin a step of envs [lo, hi) in the background."""
        self.check(job, lo, hi)
        # Several chunks a thread even out envs of unequal cost and threads that wake late.
        cdef int chunks = min(hi - lo, 1 if self.threads == 1 else 4 * self.threads)
        self.pool.post(job, _step, <void*>self.game, lo, hi, chunks)

    def finish(self, int job):
        """Help with a job and return when all of it is done."""
        self.check(job, 0, 0)
        with nogil:
            self.pool.finish(job)

    cdef check(self, int job, int lo, int hi):
        if not 0 <= job < self.jobs or not 0 <= lo <= hi <= self.game.num_envs:
            raise must("a job and its envs must exist", job=job, lo=lo, hi=hi)
        if self.game.held is None:
            raise must("bind(rows, row_of) must come before anything else", held=None)
