"""The gating system: looks at the marker, decides whether the gate is open, and says so to the linac.

Every decision reaches the gate line after the latency of sensor, processing and relay. The instants
at which the marker crosses a limit are computed from its path, not sampled.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from firmware_model.contract import FRACTION_BITS
from sim.clinic.breathing import Breathing
from sim.clinic.motion_schema import AmplitudeGating, BreathHold, PhaseGating
from sim.clinic.paths import MM, Window, changes
from sim.clinic.patient import Patient
from sim.clock import Clock
from sim.linac.lines import Lines
from sim.linac.utilities import Nodes

Failure = Literal["lost", "inverted", "frozen", "stopped"]

#: Breaths whose mean length is the length expected of the next one (engineering default).
REMEMBERED_BREATHS = 3


@dataclass(slots=True)
class _Decision:
    """What the marker at ``t_us`` makes of the gate; ``void`` once the marker turns out to go elsewhere."""

    t_us: int
    is_open: bool
    credible: bool
    void: bool = False


class Gate:
    """Runs all the session long; without a gated delivery it is idle and says open."""

    def __init__(
        self,
        env: Clock,
        lines: Lines,
        nodes: Nodes,
        patient: Patient,
        given: AmplitudeGating | PhaseGating | BreathHold | None,
        breathing: Breathing | None,
    ) -> None:
        self._env, self._lines, self._nodes, self._patient = env, lines, nodes, patient
        self._given = given
        self.window: Window | None = None  # planned positions of the target with the gate open
        self._reference = 0  # the marker's end-exhale position the windows are counted from
        self._failures: dict[Failure, set[object]] = {
            k: set() for k in ("lost", "inverted", "frozen", "stopped")
        }
        self._shown = _Decision(0, True, True)
        self._planned: list[_Decision] = []
        self._inhalations: list[int] = []  # of the marker, foreseen
        if given is not None:
            assert breathing is not None, "a scenario with gating says how the patient breathes"
            self._expected_us = [breathing.period_us]  # lengths of the last breaths
            self._inhaled_us: int | None = None
            self.window = _window(given, breathing)
            reach = given.credible << FRACTION_BITS
            self._credible = Window(
                min(0, self.window.low) - reach, max(breathing.inhale, self.window.high) + reach
            )
            patient.changed.append(self._plan)
            self._plan()
        self._show()

    @property
    def latency_us(self) -> int:
        """From a position of the marker to the gate line."""
        return self._given.latency.total_us if self._given is not None else 0

    @property
    def window_mm(self) -> tuple[float, float] | None:
        """The planned positions in mm above end exhale; None without gating."""
        return (self.window.low / MM, self.window.high / MM) if self.window is not None else None

    def capture_reference(self) -> None:
        """Set-up is done: the marker's present end-exhale position is the one windows are counted from."""
        self._reference = self._patient.marker_displacement(self._env.now)
        if self._given is not None:
            self._plan()

    # ---- faults ------------------------------------------------------------------------------------------

    def fail(self, failure: Failure, source: object) -> None:
        """Fault: the gate line is closed (lost), inverted or stays as it is; or the whole system stops."""
        self._failures[failure].add(source)
        if failure == "stopped":
            self._nodes.silence("gate_heartbeat")
        self._show()

    def mend(self, failure: Failure, source: object) -> None:
        """The fault is over; the lines show the present decision at once."""
        self._failures[failure].discard(source)
        if failure == "stopped" and not self._failures["stopped"]:
            self._nodes.speak("gate_heartbeat")
        self._show()

    # ---- decisions ---------------------------------------------------------------------------------------

    def _plan(self) -> None:
        """The marker's path is another from now on: decide anew what has not been seen yet."""
        now = self._env.now
        seen = [d for d in self._planned if d.t_us <= now]
        for decision in self._planned[len(seen) :]:
            decision.void = True
        self._planned = seen[-1:]
        last = (seen[-1].is_open, seen[-1].credible) if seen else None
        for t_us, is_open, credible in self._foresee():
            if (is_open, credible) != last:
                last = is_open, credible
                decision = _Decision(t_us, is_open, credible)
                self._planned.append(decision)
                self._env.call_in(t_us + self.latency_us - now, lambda d=decision: self._arrive(d))  # type: ignore[misc]

    def _foresee(self) -> Iterator[tuple[int, bool, bool]]:
        """From now on: instant, gate open, marker credible."""
        assert self.window is not None
        path = self._patient.marker_path()
        windows = (self.window.moved(self._reference), self._credible.moved(self._reference))
        if isinstance(self._given, PhaseGating):
            phases = list(self._phases(self._given))
            credible = [(t, inside[0]) for t, inside in changes(path, windows[1:])]
            for t_us in sorted({t for t, _ in phases} | {t for t, _ in credible}):
                believed = _latest(credible, t_us)
                yield t_us, _latest(phases, t_us) and believed, believed
        else:
            for t_us, (inside, believed) in changes(path, windows):
                yield t_us, inside and believed, believed

    def _phases(self, given: PhaseGating) -> Iterator[tuple[int, bool]]:
        """Whether the phase is within its limits, now and at every instant of a change."""
        now = self._env.now
        for t_us in self._inhalations:
            if t_us <= now:
                self._inhale(t_us)
        self._inhalations = [t for t in self._patient.inhalations if t > now]
        yield now, False
        inhaled, breaths = self._inhaled_us, list(self._expected_us)
        for following in (*self._inhalations, None):
            if inhaled is not None:
                length = sum(breaths) // len(breaths)
                opens, closes = inhaled + length * given.opens // 100, inhaled + length * given.closes // 100
                for t_us, is_open in ((opens, True), (closes, False)):
                    if following is None or t_us < following:
                        yield max(t_us, now), is_open
            if following is None:
                return
            yield following, False
            breaths = _remember(breaths, inhaled, following)
            inhaled = following

    def _inhale(self, t_us: int) -> None:
        self._expected_us = _remember(self._expected_us, self._inhaled_us, t_us)
        self._inhaled_us = t_us

    # ---- the lines ---------------------------------------------------------------------------------------

    def _arrive(self, decision: _Decision) -> None:
        if not decision.void:
            self._shown = decision
            self._show()

    def _show(self) -> None:
        failures = self._failures
        if failures["frozen"] or failures["stopped"]:
            return
        shows_open = self._shown.is_open != bool(failures["inverted"])
        self._lines.drive("gate_open", shows_open and not failures["lost"])
        self._lines.drive("surrogate_in_range", self._shown.credible)


def _window(given: AmplitudeGating | PhaseGating | BreathHold, breathing: Breathing) -> Window:
    """Positions at which the gate is meant to be open."""
    if isinstance(given, PhaseGating):
        return breathing.phase_span(given.opens, given.closes)
    if isinstance(given, BreathHold):
        middle, within = given.level << FRACTION_BITS, given.within
    elif given.low is not None and given.high is not None:
        return Window(given.low << FRACTION_BITS, given.high << FRACTION_BITS)
    else:
        assert given.within is not None, "checked when the scenario was read"
        middle, within = breathing.inhale if given.around == "inhale" else 0, given.within
    return Window(middle - (within << FRACTION_BITS), middle + (within << FRACTION_BITS))


def _latest(states: list[tuple[int, bool]], t_us: int) -> bool:
    """The last state at or before an instant."""
    return next((state for t, state in reversed(states) if t <= t_us), False)


def _remember(breaths: list[int], before: int | None, inhaled: int) -> list[int]:
    """Lengths of the last breaths with one more; a pause of twice the usual length is no breath."""
    if before is None or inhaled - before > 2 * sum(breaths) // len(breaths):
        return breaths
    return [*breaths, inhaled - before][-REMEMBERED_BREATHS:]
