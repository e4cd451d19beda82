"""Envs in groups: allocation, ranges, threads, processes; `make` turns a name into a vector."""

from skipjack.vector.contract import Vector
from skipjack.vector.make import make, wrap
from skipjack.vector.processes import Processes
from skipjack.vector.serial import Serial
from skipjack.vector.threads import Threads

__all__ = ["Processes", "Serial", "Threads", "Vector", "make", "wrap"]
