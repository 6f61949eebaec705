"""Asking the patient to hold the breath, again and again while a beam is under way."""

from __future__ import annotations

from random import Random

import simpy

from firmware_model.contract import FRACTION_BITS
from firmware_model.states import State
from sim.clinic.breathing import bounded
from sim.clinic.console import Console, Steps
from sim.clinic.motion_schema import BreathHold
from sim.clinic.patient import HOLD_IN_US, HOLD_OUT_US, Patient
from sim.clock import US_PER_S

#: From the request to the patient starting to breathe in, s (engineering default).
REACTION_S = (1, 2)
#: How long to wait before asking again when the beam is interrupted or the patient did not follow.
ASK_AGAIN_US = 5 * US_PER_S


class Coach:
    """The console's breath-hold guidance; times and levels are drawn from the run's seed."""

    def __init__(self, console: Console, patient: Patient, given: BreathHold, seed: str) -> None:
        self._console, self._patient, self._given = console, patient, given
        self._random = Random(f"{seed}/breath_hold")

    def guide(self) -> Steps:
        """Until interrupted: ask for a hold, let the patient rest, ask again."""
        given, env = self._given, self._console.env
        try:
            while True:
                if self._console.state not in (State.irradiation, State.hold):
                    yield env.timeout(ASK_AGAIN_US)
                    continue
                self._console.act("ask for a breath-hold")
                reaction_ms = self._random.randint(REACTION_S[0] * 1000, REACTION_S[1] * 1000)
                yield env.timeout(reaction_ms * 1000)
                level = given.level + round(bounded(self._random) * given.level_spread)
                hold_us = self._vary(given.hold)
                if self._patient.hold_breath(level << FRACTION_BITS, hold_us):
                    yield env.timeout(HOLD_IN_US + hold_us + HOLD_OUT_US + self._vary(given.rest))
                else:
                    yield env.timeout(ASK_AGAIN_US)
        except simpy.Interrupt:
            self._console.act("let the patient breathe")
            self._patient.settle_down()

    def _vary(self, duration_us: int) -> int:
        return round(duration_us * (1 + bounded(self._random) * self._given.spread / 100))
