"""What must hold in every run without being asked for, judged on the plant's truth.

Each invariant looks at what really happened (beam, door, dose, target), never at what the
controller believed. The times allowed are the response deadlines of the reference requirements,
fixed here on purpose: a table that loses an interlock or relaxes a deadline must fail.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from sim.clock import US_PER_MS
from sim.record.trace import Trace
from sim.scenario.intervals import Interval, after_grace, beyond, outside, overlap, where
from sim.world import World

#: Cause to true beam off: controller deadline (10 ms) and off latency of the beam (engineering defaults).
ROOM_US = 20 * US_PER_MS
#: A permit withdrawn to true beam off: the longest off latency of the machine class (6 ms) and a margin.
PERMIT_US = 10 * US_PER_MS
#: Dose beyond the preset, MU: pulses in flight at 2400 MU/min for 10 ms are 0.4 MU; the secondary
#: channel may let 25 MU through (published C-series figure) before it ends the beam.
OVERDOSE_MU = 25.0
#: Distance of the target from the isocentre with beam on, mm: stereotactic tolerance 1 mm with the
#: uncertainty of the match (engineering default).
OFFSET_MM = 3.0
#: Record against counter: 0.5 MU or 0.5 %, the larger (published user manual of a proton machine).
RECORD_MU, RECORD_SHARE = 0.5, 0.005
#: Collimation and angles, mm and deg: the limits of the reference table with a margin for the readback;
#: energy and asymmetry, %: the IEC-type limits of 20 and 10 % with a margin; filter, mm (engineering
#: defaults). All beyond MACHINE_US: debounce, reaction of the controller and switching off.
APERTURE_MM, ANGLE_DEG, ENERGY_PERCENT, ASYMMETRY_PERCENT, FILTER_MM = 6.0, 1.5, 25.0, 12.0, 1.0
MACHINE_US = 100 * US_PER_MS
#: Target off its place or outside the gate with beam on: the slowest published end-to-end hold of a
#: surface-guided system (149 ms, Naylor 2025), and the residual error of marker and match, mm (engineering
#: default).
GATE_US = 150 * US_PER_MS
GATE_MARGIN_MM = 1.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Outcome of one invariant: how often its situation arose, and where it broke."""

    id: str
    title: str
    evaluated: int
    broken: tuple[Interval, ...]
    detail: str = ""
    known_gap: str = ""  # why nothing notices it, if the scenario is there to show that

    @property
    def status(self) -> str:
        if self.broken:
            return "known_gap" if self.known_gap else "violated"
        return "held" if self.evaluated else "not_evaluated"

    def record(self) -> dict[str, Any]:
        """The entry of run.json."""
        entry: dict[str, Any] = {
            "id": self.id,
            "title": self.title,
            "status": self.status,
            "evaluated": self.evaluated,
        }
        if self.broken:
            entry["detail"] = (
                self.detail or f"from {self.broken[0][0] / 1e6:.6f} s for {_ms(self.broken[0])} ms"
            )
            entry["t_us"] = self.broken[0][0]
        if self.known_gap:
            entry["known_gap"] = self.known_gap
        return entry


def _ms(interval: Interval) -> str:
    return f"{(interval[1] - interval[0]) / 1000:g}"


def _beam_during(
    id_: str, title: str, channel: str, grace_us: int, holds: Callable[[object], bool] = bool
) -> Any:
    """No beam while a channel holds for longer than a grace time."""

    def judge(world: World, trace: Trace) -> Verdict:
        situations = where(trace, channel, holds)
        broken = overlap(where(trace, "beam_on"), after_grace(situations, grace_us))
        return Verdict(id_, title, len(situations), tuple(broken))

    return judge


def _beam_beyond(id_: str, title: str, channel: str, limit: float, grace_us: int = MACHINE_US) -> Any:
    """No beam while something is further off than a limit for longer than a grace time."""

    def judge(world: World, trace: Trace) -> Verdict:
        beams = where(trace, "beam_on")
        broken = overlap(beams, after_grace(beyond(trace, channel, limit), grace_us))
        return Verdict(id_, title, len(beams), tuple(broken))

    return judge


def _in_the_gate(world: World, trace: Trace) -> Verdict:
    """The target, by its true position, is where the gate is meant to be open."""
    window = world.gate.window_mm
    situations: list[Interval] = []
    if window is not None:
        low, high = window
        situations = outside(trace, "target_position", low - GATE_MARGIN_MM, high + GATE_MARGIN_MM)
    broken = overlap(where(trace, "beam_on"), after_grace(situations, GATE_US))
    return Verdict(
        "no-beam-outside-gate",
        f"No beam with the target more than {GATE_MARGIN_MM:g} mm outside the gate beyond 150 ms",
        len(situations),
        tuple(broken),
    )


def _no_restart_with_cause(world: World, trace: Trace) -> Verdict:
    """The beam never starts while the door is open or an emergency stop is pressed."""
    starts = [a for a, _ in where(trace, "beam_on")]
    causes = where(trace, "door_open") + where(trace, "emergency_pressed")
    broken = [(t, t + 1) for t in starts if any(a < t - ROOM_US and t < b for a, b in causes)]
    return Verdict(
        "no-start-with-open-room", "The beam never starts with the room open", len(starts), tuple(broken)
    )


def _preset(world: World, trace: Trace) -> Verdict:
    """True dose of a beam never above its preset by more than the secondary channel's margin."""
    broken: list[Interval] = []
    worst = 0.0
    ends = [e for e in trace.events if e.kind == "beam_end"]
    truths = world.delivered_at_beam_end
    for event, truth in zip(ends, truths, strict=False):
        excess = truth - event.fields["planned_mu"]
        worst = max(worst, excess)
        if excess > OVERDOSE_MU:
            broken.append((event.t_us, event.t_us + 1))
    return Verdict(
        "no-dose-beyond-preset",
        "No dose beyond the preset and its margin",
        len(ends),
        tuple(broken),
        f"{worst:.3f} MU above the preset, limit {OVERDOSE_MU} MU",
    )


def _records(world: World, trace: Trace) -> Verdict:
    """What was recorded agrees with what was really delivered."""
    broken: list[Interval] = []
    detail = ""
    ends = [e for e in trace.events if e.kind == "beam_end"]
    for event, truth in zip(ends, world.delivered_at_beam_end, strict=False):
        recorded = event.fields["delivered_mu"]
        if abs(truth - recorded) > max(RECORD_MU, RECORD_SHARE * recorded):
            broken.append((event.t_us, event.t_us + 1))
            detail = f"recorded {recorded:.3f} MU, delivered {truth:.3f} MU"
    return Verdict("records-agree", "Records agree with the dose delivered", len(ends), tuple(broken), detail)


def _never_decreases(world: World, trace: Trace) -> Verdict:
    """Delivered dose never decreases within a beam."""
    channel = trace.channels["dose_delivered"]
    starts = {e.t_us for e in trace.events if e.kind == "beam_start"} | world.counter_resets
    broken = []
    previous = None
    for sample in channel.samples:
        if previous is not None and sample.t_us not in starts:
            reached = float(previous.value) + previous.slope * (sample.t_us - previous.t_us) / 1e6
            if float(sample.value) < reached - 0.001:
                broken.append((previous.t_us, sample.t_us))
        if sample.slope < 0:
            broken.append((sample.t_us, sample.t_us + 1))
        previous = sample
    return Verdict(
        "dose-never-decreases", "Delivered dose never decreases", len(channel.samples), tuple(broken)
    )


def _rate(world: World, trace: Trace) -> Verdict:
    """True dose rate never above twice the maximum of the beam it belongs to for longer than 160 ms."""
    situations = where(trace, "dose_rate", lambda v: isinstance(v, float) and v > 0)
    broken: list[Interval] = []
    selections = [event for event in trace.events if event.kind == "select"]
    bounds = [*(event.t_us for event in selections), trace.end_us]
    for selected, end in zip(selections, bounds[1:], strict=True):
        limit = 2 * _max_dose_rate(world, selected.fields["target"], selected.fields["beam"])
        beyond_limit = where(trace, "dose_rate", partial(_more_than, limit))
        broken += after_grace(overlap([(selected.t_us, end)], beyond_limit), 160 * US_PER_MS)
    return Verdict(
        "no-runaway-rate", "Dose rate never above twice the maximum for long", len(situations), tuple(broken)
    )


def _more_than(limit: float, value: object) -> bool:
    return isinstance(value, float) and value > limit


def _max_dose_rate(world: World, target: str, number: int) -> int:
    """Of the beam quality a beam asks for, MU/min."""
    beam = next(beam for beam in world.course.target(target).beams if beam.number == number)
    quality = world.linac.machine.beam_quality(beam.energy_mv, beam.fluence_mode)
    assert quality is not None, "plans are checked against the machine before a session"
    return quality.max_dose_rate


def _only_in_irradiation(world: World, trace: Trace) -> Verdict:
    """The permit exists in state irradiation only."""
    permits = where(trace, "permit")
    others = where(trace, "state", lambda v: v != "irradiation")
    broken = overlap(permits, others)
    return Verdict(
        "permit-only-in-irradiation", "Beam permit only in state irradiation", len(permits), tuple(broken)
    )


def _not_while_standing(world: World, trace: Trace) -> Verdict:
    """No permit while any non-hold interlock stands tripped or latched."""
    broken: list[Interval] = []
    count = 0
    permits = where(trace, "permit")
    for name, row in world.table.interlocks.items():
        if row.stop in ("hold", "complete"):
            continue
        standing = where(trace, f"interlock/{name}")
        count += len(standing)
        broken += overlap(permits, standing)
    return Verdict("no-permit-with-trip", "No permit while an interlock stands", count, tuple(broken))


def _terminated_ends_beam(world: World, trace: Trace) -> Verdict:
    """After a termination there is no beam before a new check."""
    ended = where(trace, "state", lambda v: v in ("terminated", "emergency", "off", "standby", "preparatory"))
    broken = overlap(where(trace, "beam_on"), after_grace(ended, PERMIT_US))
    return Verdict(
        "no-beam-after-termination", "No beam outside a checked treatment", len(ended), tuple(broken)
    )


#: Every invariant, in the order of the report.
INVARIANTS: tuple[Callable[[World, Trace], Verdict], ...] = (
    _beam_during("no-beam-with-door-open", "No beam with the door open beyond 20 ms", "door_open", ROOM_US),
    _beam_during("no-beam-in-emergency-stop", "No beam with an emergency stop pressed beyond 20 ms",
                 "emergency_pressed", ROOM_US),
    _beam_during("no-beam-without-permit", "No beam beyond 10 ms after the permit is withdrawn", "permit",
                 PERMIT_US, lambda v: not v),
    _beam_beyond("no-beam-on-wrong-place", f"No beam with the target more than {OFFSET_MM} mm off",
                 "target_offset", OFFSET_MM, GATE_US),
    _in_the_gate,
    _beam_beyond("no-beam-with-wrong-aperture", f"No beam with a jaw or leaf over {APERTURE_MM:g} mm off",
                 "aperture_error", APERTURE_MM),
    _beam_beyond("no-beam-at-wrong-angle", f"No beam with an angle more than {ANGLE_DEG:g} deg off",
                 "angle_error", ANGLE_DEG),
    _beam_beyond("no-beam-with-wrong-energy", f"No beam with its energy more than {ENERGY_PERCENT:g} % off",
                 "energy_error", ENERGY_PERCENT),
    _beam_beyond("no-beam-through-wrong-filter", f"No beam with filter or target over {FILTER_MM:g} mm off",
                 "filter_error", FILTER_MM),
    _beam_beyond("no-asymmetric-beam", f"No beam more than {ASYMMETRY_PERCENT:g} % asymmetric",
                 "asymmetry", ASYMMETRY_PERCENT),
    _no_restart_with_cause,
    _terminated_ends_beam,
    _only_in_irradiation,
    _not_while_standing,
    _preset,
    _rate,
    _never_decreases,
    _records,
)  # fmt: skip


def judge_all(world: World) -> list[Verdict]:
    """Every invariant on the finished trace."""
    return [judge(world, world.trace) for judge in INVARIANTS]
