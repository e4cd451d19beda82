"""An env that is played and looked at: keys in, steps at their pace, pictures out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from skipjack.native.scene import Scene
from skipjack.rows import Actor
from skipjack.view import panel, players
from skipjack.view.keep import Remembered, keep_picture, keep_video
from skipjack.view.keys import CONTROLS, Keyboard, ordered
from skipjack.view.mouse import Mouse
from skipjack.view.options import Options
from skipjack.view.screen import Input, Screen
from skipjack.view.tally import Tally
from skipjack.view.world import World

RATE = 60
"""Pictures a second."""

SPEEDS = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0, 2.0, 4.0, 8.0, 16.0, 64.0, 256.0)
"""Paces that the keys go through, as multiples of the env's own."""

BUSY = 0.6
"""Share of a picture's time that steps may take where several fit one picture."""

REST = 0.6
"""Seconds that an episode's last picture stays at the env's own pace."""

REMEMBERED = 10
"""Seconds of pictures that a key saves."""


class Session:
    """A world with its players, shown on a screen until it is closed.

    Args:
        world: the envs.
        screen: where it is shown and played.
        actor: plays every row that no person plays; None where people play all of them.
        people: keys of the people by row.
        options: how it begins.
    """

    def __init__(
        self,
        world: World,
        screen: Screen,
        actor: Actor | None,
        people: Mapping[int, Keyboard] | None = None,
        options: Options | None = None,
    ) -> None:
        self.world, self.screen, self.actor = world, screen, actor
        self.people = dict(people or {})
        self.options = options or Options()
        self.env, self.seat = 0, 0
        self.paused = self.over = False
        self.speed = self.options.speed
        self.as_seen = self.muted = False
        self.message, self._until = "", 0.0
        self.writing: list[threading.Thread] = []  # videos; not daemons: the process waits for them
        self.remembered = Remembered(RATE * REMEMBERED)
        self.mouse = Mouse(world)
        self._keys: list[str] = []  # down, in their order
        self._latched: list[str] = []  # went down since the last step
        self._rests = 0.0  # until then an episode's last picture stays
        self._last: dict[int, npt.NDArray[Any]] = {}
        self._asked = 0.0
        self.seed = self.options.seed
        self.tally = Tally(world.vector.num_rows)
        world.listen()
        self.begin()

    @property
    def row(self) -> int:
        """The row that is followed."""
        return int(self.world.vector.row_of[self.env, self.seat])

    def run(self) -> None:
        """Play until the screen is closed or the end is asked for."""
        began, shown = time.perf_counter(), 0
        while not self.over:
            self.frame(time.perf_counter())
            shown += 1
            wait = began + shown / RATE - time.perf_counter()
            if wait > 0:
                time.sleep(wait)
            elif wait < -0.25:  # the machine was away: do not make up for it
                began, shown = time.perf_counter(), 0

    def frame(self, now: float) -> None:
        """One picture: look at the keys, take the steps that are due, show what there is."""
        seen = self.screen.poll()
        self._look(seen)
        if self.over or seen.away:
            self._begun = -1e9
            return
        if self.options.renew is not None and now - self._asked >= 1:
            self._asked = now
            found = self.options.renew()
            if found is not None:
                self.actor, self.options.title = found
                self.say(self.options.title, now)
        if not self.paused:
            self._steps(now)
        scene = self.compose(self._picture_at(now), now)
        self.remembered.add(scene)
        self.screen.show(scene)

    def say(self, words: str, now: float | None = None) -> None:
        """Show a line for a few seconds."""
        self.message, self._until = words, (now or time.perf_counter()) + 4

    def restart(self) -> None:
        """Begin anew from the next seed; a play that was kept from its own."""
        self.seed += not self.options.replay
        self.begin()

    def begin(self) -> None:
        """Begin anew from the same seed."""
        self.options.on_reset(self.seed)
        self.batch = self.world.reset(self.seed)
        if self.actor is not None:
            self.actor.begin()
        self.tally.begin()
        self.thought: players.Thought | None = None
        self._begun, self._rests, self.pictures = -1e9, 0.0, [self.world.scene(self.env)]
        self.ended = False  # the followed row's episode ended in the last step
        self._seen: Scene | None = None  # what its agent sees, once it is asked for
        self._latched.clear()
        self._last.clear()
        self.mouse.forget()

    def _steps(self, now: float) -> None:
        """Take the steps that are due; where time stands a key makes one at once."""
        if now < self._rests:
            return
        if self._rests:
            self._rests, self._begun, self.ended = 0.0, now, False
            self.pictures, self._seen = [self.world.scene(self.env)], None
            self._latched.clear()  # what was pressed meanwhile was for the episode before
        if self._latched and not self.world.flows and self.people and self.step():
            self._begun = now
            self._rest(now)
            return
        interval = 1 / (self.world.pace * self.speed)
        if now - self._begun > 10 * interval + 1:  # after a pause or at the start
            self._begun = now - interval
        began = time.perf_counter()
        while now - self._begun >= interval - 1e-4:
            if not self.step():
                return
            self._begun += interval
            if self._rest(now):
                return
            if time.perf_counter() - began > BUSY / RATE:
                self._begun = max(self._begun, now - interval)
                return

    def _rest(self, now: float) -> bool:
        """Whether an episode has ended, whose last picture then stays for a moment."""
        if self.ended:
            shown = (len(self.pictures) - 1) / len(self.pictures) / self.world.pace
            self._rests = now + (REST + shown) / self.speed
        return self.ended

    def step(self, ticks: bool | None = None) -> bool:
        """One step of all envs with the keys that are down.

        False if there is none: a person must act first, or a play that was kept is over.

        Args:
            ticks: whether the pictures between are wanted; by default where there is time to see them.
        """
        if getattr(self.actor, "over", False):
            self.paused = True
            self.say("the play ends here")
            return False
        actions = self._actions()
        if actions is None:
            return False
        self._latched.clear()
        before, alive, acted = self.batch, self.batch.alive.copy(), self.batch.may_act.copy()
        # Beside a person's seat nobody's opinion stands.
        asked = self.actor if self.row not in self.people else None
        self.thought = players.thought(asked, self.world.vector.action, before, self.row)
        if ticks is None:
            ticks = self.world.pace * self.speed <= RATE
        self.batch = batch = self.world.step(actions, self.env, ticks)
        if self.actor is not None:
            self.actor.follow(batch, alive)
        self.tally.take(batch, acted)
        self.options.on_step(actions, batch)
        for row in np.flatnonzero(batch.terminated | batch.truncated):
            self._last.pop(int(row), None)
        # Where many agents share a world, only the end of one that is looked at is one.
        self.ended = self.world.ended(self.people or {self.row})
        self.pictures = self.world.pictures(self.env, last=self.ended)
        # At another pace it would come in pieces, or pile up.
        if self.world.sound_rate and self.speed == 1 and not self.muted:
            self.screen.hear(self.world.sound(self.env), self.world.sound_rate)
        self._seen = None
        return True

    def _actions(self) -> npt.NDArray[Any] | None:
        """Actions (rows, width) of all; None if a person must act first."""
        vector = self.world.vector
        keys = ordered(self._keys, frozenset(self._keys), self._latched)
        taken: dict[int, npt.NDArray[Any]] = {}
        for row, keyboard in self.people.items():
            mask = None if self.batch.action_mask is None else self.batch.action_mask[row]
            waits = not self.world.flows and not self._latched and (mask is None or mask.any())
            led = self.mouse.lead(row, keyboard, keys)
            acted = None if waits and led is None else keyboard.act(keys, mask, led)
            if acted is None and self.world.flows:  # time passes: what was done last goes on
                acted = self._last.get(row, np.zeros(vector.action.width, vector.action.dtype))
            if acted is None:
                if self.batch.alive[row]:
                    return None
                acted = np.zeros(vector.action.width, vector.action.dtype)
            taken[row] = self._last[row] = acted
        if self.actor is not None:
            actions = np.array(self.actor.act(self.batch))
        else:
            actions = np.zeros((vector.num_rows, vector.action.width), vector.action.dtype)
        for row, acted in taken.items():
            actions[row] = acted
        return actions

    def _look(self, seen: Input) -> None:
        """Take in keys and mouse: controls here, the rest waits for the next step."""
        self.over |= seen.closed
        for key in seen.pressed:
            if key in _CONTROLS:
                _CONTROLS[key](self)
            else:
                self._latched.append(key)
        self._keys = ordered(self._keys, seen.held, [k for k in seen.pressed if k in seen.held])
        if seen.wheel:
            self._zoom(seen.wheel)
        for x, y in seen.clicks:
            self._click(x, y)

    def _picture_at(self, now: float) -> Scene:
        """Ticks of the last step follow one another at their own pace."""
        share = (now - self._begun) * self.world.pace * self.speed
        at = round(share * len(self.pictures))  # one that is due a little later is shown now
        return self.pictures[min(max(at, 0), len(self.pictures) - 1)]

    def compose(self, picture: Scene, now: float = 0.0) -> Scene:
        """All that is shown around a picture of the env."""
        vector = self.world.vector
        if self._seen is None:
            # While an episode's last picture stays, so does what was seen last.
            last = self.ended and self.world.ended({self.row})
            self._seen = self.world.seen(self.row, last)
        seen = self._seen
        shown = panel.Shown(
            picture=seen if self.as_seen else picture,
            seen=None if self.as_seen else seen,
            title=self.options.title,
            lines=panel.lines(self.tally, self.row, self.env, self.seat, vector),
            remarks=[*self.options.remarks, *self.world.notes],
            thought=self.thought,
            names=self.world.names,
            action=vector.action,
            rewards=self.tally.strips[self.row],
            legend=[keyboard.legend for keyboard in self.people.values()],
            controls=self._controls(),
            message=self.message if now < self._until else "",
            state="paused" if self.paused else self._pace_in_words(),
        )
        return panel.compose(shown)

    def _controls(self) -> list[tuple[str, str]]:
        """Keys of the session that do something here."""
        idle = {"n"} if self.world.vector.num_envs == 1 else set()
        idle |= set() if self.world.sound_rate else {"m"}
        idle |= {"bracketleft", "bracketright"} if self.world.seats == 1 else set()
        idle |= set() if self._may_change else {"t"}
        idle |= {"z", "x", "tab"} if self.world.camera is None else set()
        return [(key, what) for key, what in CONTROLS.items() if key not in idle]

    def _pace_in_words(self) -> str:
        if self.people and not self.world.flows:
            return "waits for your key"
        return f"{self.speed:g} x" if self.speed != 1 else ""

    def _pause(self) -> None:
        self.paused = not self.paused
        self._latched.clear()
        self._begun = -1e9

    def _one_step(self) -> None:
        self.paused = True
        self.step()

    def _faster(self, by: int) -> None:
        near = min(range(len(SPEEDS)), key=lambda i: abs(SPEEDS[i] - self.speed))
        self.speed = SPEEDS[min(max(near + by, 0), len(SPEEDS) - 1)]

    def _next_env(self) -> None:
        self.env = (self.env + 1) % self.world.vector.num_envs
        self.thought, self._seen, self.ended = None, None, False
        self.pictures = [self.world.scene(self.env)]
        self.say(f"env {self.env}")

    def _follow(self, seat: int) -> None:
        self.seat = seat % self.world.seats
        self.thought, self._seen = None, None
        if self.world.watch(self.seat):
            self.pictures = [self.world.scene(self.env)]
        self.say(f"agent {self.seat}")

    @property
    def _may_change(self) -> bool:
        """Whether there are seats that a person may change to: somebody must play the one that is left."""
        return len(self.people) == 1 < self.world.seats and self.actor is not None

    def _take_over(self) -> None:
        if self._may_change and self.row not in self.people:
            self.people = {self.row: next(iter(self.people.values()))}
            self.mouse.forget()
            self.options.on_seat(self.row)
            self.say(f"you play agent {self.seat}")

    def _zoom(self, by: int) -> None:
        """Come nearer or go farther; 0 changes between the whole world and the part that was shown."""
        camera = self.world.camera
        if camera is not None:
            if by:
                camera.come(by)
            else:
                camera.whole = not camera.whole
            self.pictures = [self.world.scene(self.env)]

    def _click(self, x: float, y: float) -> None:
        """Who plays goes there; where nobody does, the picture follows who is there."""
        spot = None if self.as_seen else panel.within(self.pictures[-1], x, y)
        what = self.world.pointed(self.env, *spot) if spot is not None else None
        if what is not None and self.people:
            self.mouse.send(next(iter(self.people)), what)
        elif what is not None and what.seat is not None:
            self._follow(what.seat)

    def _switch(self) -> None:
        self.as_seen = not self.as_seen
        self.say("what the agent sees" if self.as_seen else "the picture")

    def _mute(self) -> None:
        self.muted = not self.muted
        self.say("sound off" if self.muted else "sound on")

    def _end(self) -> None:
        self.over = True

    def _picture(self) -> None:
        self.say(keep_picture(self.remembered.scenes(), self.options.folder))

    def _video(self) -> None:
        told, thread = keep_video(self.remembered.scenes(), self.options.folder, RATE)
        self.say(told)
        self.writing += [thread] if thread is not None else []


_CONTROLS: dict[str, Callable[[Session], None]] = {
    "p": Session._pause,
    "period": Session._one_step,
    "plus": lambda session: session._faster(1),
    "minus": lambda session: session._faster(-1),
    "r": Session.restart,
    "n": Session._next_env,
    "bracketright": lambda session: session._follow(session.seat + 1),
    "bracketleft": lambda session: session._follow(session.seat - 1),
    "t": Session._take_over,
    "z": lambda session: session._zoom(1),
    "x": lambda session: session._zoom(-1),
    "tab": lambda session: session._zoom(0),
    "v": Session._switch,
    "m": Session._mute,
    "c": Session._picture,
    "g": Session._video,
    "escape": Session._end,
}
"""What the keys of `skipjack.view.keys.CONTROLS` do."""
