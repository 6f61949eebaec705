"""A healthy treatment machine around a controller, just good enough to bring a beam on."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from firmware_model.contract import Change, Outputs, ResetCause
from firmware_model.states import Command, State
from firmware_model.table import Table
from firmware_model.table_loading import load_table
from hil.twin import ONWARDS

from .dice import ONE
from .lockstep import Coverage, Pair, SideBySide


class Plant(NamedTuple):
    """Signals of a table while nothing is wrong."""

    values: dict[str, float]  # in the unit of the signal
    always: dict[str, int]  # slopes, fixed-point counts a scan
    beam: dict[str, int]  # slopes of dose counters while the beam is on


_VALUES = {
    **dict.fromkeys(("door_contact_a", "door_contact_b", "last_person_out", "emergency_loop"), 1),
    **dict.fromkeys(("viewing_link", "key_switch", "touch_guard", "dose_supply", "gate_open"), 1),
    "surrogate_in_range": 1,
    "clearance": 300,
    "dose_primary": 0,
    "dose_secondary": 0,
    "pulse_dose": 0.0278,
    "pulse_dose_set": 0.0278,
    "symmetry_radial": 0.4,
    "symmetry_transverse": -0.3,
    "dose_planned_at_gantry": 0,
    "beam_energy": 6,
    "energy_set": 6,
    "bend_current": 80,
    "bend_current_set": 80,
    "mode_sensed": 61,
    "mode_selected": 61,
    **dict.fromkeys(("carousel_a", "carousel_b", "carousel_c", "carousel_set"), 120),
    **dict.fromkeys(("target_position", "target_position_set"), 55),
    **dict.fromkeys(("accessory_sensed", "accessory_selected"), 9),
    **dict.fromkeys(("gantry", "gantry_set"), 30),
    **dict.fromkeys(("collimator", "collimator_set"), 10),
    **dict.fromkeys(("couch_vertical", "couch_vertical_set"), -120),
    **dict.fromkeys(("couch_longitudinal", "couch_longitudinal_set"), 640),
    **dict.fromkeys(("couch_lateral", "couch_lateral_set"), 12),
    **dict.fromkeys(("couch_rotation", "couch_rotation_set"), 0),
    "jaw_error": 0.2,
    "mlc_error": 0.3,
    "gate_heartbeat": 0,
    "sequence_hold": 0,
    "image_shift_residual": 0.2,
    "image_age": 60,
    "image_age_override": 0,
    "override_plan": 2002,
    "daily_output": 0.4,
    "fraction_cleared": 1,
    "cross_dose_change": -0.5,
    "cross_dose_accepted": 0,
    "target_dose": 62.5,
    "organ_dose": 41.2,
    "water_flow": 14,
    "water_temperature": 38,
    "gas_pressure": 230,
    "vacuum_current": 2,
    "air_pressure": 400,
    "heartbeat_linac": 0,
    "heartbeat_console": 0,
    "preset_meterset": 900,
    "time_set": 99_000_000,
    "dose_rate_set": 600,
    "dose_rate_max": 600,
    "static_beam": 1,
    "arc_beam": 0,
    "gating_enabled": 0,
    "free_breathing": 0,
    "parameters_token": 777,
    **dict.fromkeys(("patient_confirmed", "patient_selected"), 1001),
    **dict.fromkeys(("plan_confirmed", "plan_selected"), 2002),
    **dict.fromkeys(("target_confirmed", "target_selected"), 3003),
    **dict.fromkeys(("fraction_confirmed", "fraction_selected"), 4),
}

#: The plant of the reference table; its beam gives 600 MU/min.
REFERENCE_PLANT = Plant(
    _VALUES,
    always={
        "heartbeat_linac": ONE // 10,
        "heartbeat_console": ONE // 50,
        "gate_heartbeat": ONE // 20,
        "image_age": ONE // 100,
    },
    beam={"dose_primary": 10 * ONE, "dose_secondary": 10 * ONE + 131},
)

#: Lines (value or None for the present one, slope) that trip the rows the proof test leaves out.
_PROVOCATIONS: dict[str, dict[str, tuple[float | None, int]]] = {
    "EMERGENCY_STOP": {"emergency_loop": (0, 0)},
    "RATE_HIGH": {"dose_primary": (None, 25 * ONE), "dose_secondary": (None, 25 * ONE)},
    "RATE_LOW": {"dose_primary": (None, 7 * ONE), "dose_secondary": (None, 7 * ONE)},
    "DOSE_ABSENT": {"dose_primary": (None, 0), "dose_secondary": (None, 0)},
    "TIMER": {"time_set": (1, 0)},
    "HOLD_DOSE": {"dose_primary": (None, 9 * ONE), "dose_secondary": (None, 9 * ONE)},
    "DOSE_WITHOUT_PERMIT": {"dose_primary": (None, 2 * ONE)},
    "MOTION_IN_STATIC_GANTRY": {"gantry": (None, ONE)},
    "MOTION_IN_STATIC_COLLIMATOR": {"collimator": (None, -ONE)},
    "DOSE_PER_DEGREE": {"dose_planned_at_gantry": (None, 400 * ONE)},
    "GATE_CLOSED": {"gate_open": (0, 0)},
    "GATE_STALE": {"gate_heartbeat": (None, 0)},
    "GATE_OPEN_LONG": {"gate_open": (1, 0)},
    "BREATH_HOLD_LONG": {"gate_open": (1, 0)},
    "GATE_CLOSED_LONG": {"gate_open": (0, 0)},
    "SEQUENCE_HOLD": {"sequence_hold": (1, 0)},
    "PARAMETERS_CHANGED": {"parameters_token": (778, 0)},
    "HEARTBEAT_LINAC": {"heartbeat_linac": (None, 0)},
    "HEARTBEAT_CONSOLE": {"heartbeat_console": (None, 0)},
}
#: What to select so that a row is enabled; the dose plan of a standing gantry is never followed.
ENABLED_BY: dict[str, dict[str, float]] = {
    "static_beam": {"static_beam": 1},
    "arc_beam": {"static_beam": 0, "arc_beam": 1},
    "gating_enabled": {"gating_enabled": 1},
    "image_age_override": {"image_age_override": 1},
    "free_breathing": {"gating_enabled": 1, "free_breathing": 1},
}


@cache
def reference_table(self_test_ticks: int = 500, longest_debounce: int = 60_000) -> Table:
    """The reference table; a short self test and debounce keep comparisons tick by tick short."""
    table = load_table()
    rows = {
        name: row.model_copy(update={"debounce": min(row.debounce, longest_debounce)})
        for name, row in table.interlocks.items()
    }
    if (self_test_ticks, rows) == (table.self_test_ticks, table.interlocks):
        return table
    kept = {name: getattr(table, name) for name in Table.model_fields}  # not its digest
    return Table.model_construct(**kept | {"self_test_ticks": self_test_ticks, "interlocks": rows})


class TreatmentMachine:
    """A machine around a pair of controllers: healthy signals, an operator, a proof test that answers.

    Every tick of every test that uses it is compared between ``run`` and ``scan``, or between the two
    controllers of another pair.
    """

    def __init__(
        self,
        table: Table,
        coverage: Coverage | None = None,
        plant: Plant = REFERENCE_PLANT,
        pair: SideBySide | None = None,
        **healthy: float,
    ) -> None:
        self.table, self.plant = table, plant
        self.pair: SideBySide = pair or Pair(table, coverage or Coverage())
        self._healthy = {**plant.values, "console_table_digest": table.token, **healthy}
        self._forced: dict[str, Change] = {}  # what to go back to after the proof of a line
        self._beam = False
        self.answers = True  # False: nothing reacts to the proof test
        self.clears = True  # False: what the proof test forced stays so
        self._pending: tuple[Change, ...] = self.all_healthy()

    # ---- inputs ----------------------------------------------------------------------------------

    def signal(self, name: str) -> int:
        return self.table.signal_index[name]

    def healthy(self, name: str) -> Change:
        """The line of a signal while nothing is wrong."""
        signal, beam = self.signal(name), self.plant.beam
        if name in beam:
            return Change(signal, self.pair.ramps.now(signal), beam[name] if self._beam else 0)
        lsb = self.table.signals[name].lsb
        return Change(signal, round(self._healthy[name] / lsb) * ONE, self.plant.always.get(name, 0))

    def all_healthy(self) -> tuple[Change, ...]:
        return tuple(self.healthy(name) for name in self.table.signals)

    def set(self, **values: float) -> None:
        """From the next scan on, signals stand still at ``values`` (in their units)."""
        self.change(*(Change(self.signal(n), self.table.counts(n, v) * ONE) for n, v in values.items()))

    def heal(self, *names: str) -> None:
        """From the next scan on, signals (all, when none is named) are healthy again."""
        self.change(*(self.healthy(name) for name in names or self.table.signals))

    def change(self, *changes: Change) -> None:
        self._pending += changes

    def provoke(self, interlock: str) -> None:
        """From the next scan on, give an interlock that acts now a reason to trip."""
        row = self.table.interlocks[interlock]
        if interlock in _PROVOCATIONS:
            for name, (value, slope) in _PROVOCATIONS[interlock].items():
                signal = self.signal(name)
                now = self.pair.ramps.now(signal) if value is None else self.table.counts(name, value) * ONE
                self.change(Change(signal, now, slope))
        elif interlock == "SELF_TEST":
            self.answers = False
            self.order(Command.begin_check)
        elif interlock == "RESET_IN_BEAM":
            self.reset(ResetCause.watchdog)
            self.order(Command.power_on)
        else:
            self.set(**(row.proof or {}))

    # ---- time ------------------------------------------------------------------------------------

    @property
    def outputs(self) -> Outputs:
        return self.pair.outputs

    @property
    def state(self) -> State:
        return self.outputs.state

    def run(self, ticks: int = 1, command: Command = Command.none) -> Outputs:
        """``ticks`` scans, the command in the first."""
        changes, self._pending = self._pending + self._react(self.outputs), ()
        self.pair.run(ticks, changes, command, self._react)
        return self.outputs

    def order(self, command: Command) -> Outputs:
        """One scan with a command."""
        return self.run(1, command)

    def reset(self, cause: ResetCause) -> Outputs:
        self.pair.reset(cause)
        self._beam, self._forced, self._pending = False, {}, self.all_healthy()
        return self.outputs

    def reach(self, goal: State, patience: int = 80) -> TreatmentMachine:
        """Do what an operator would do to come to ``goal``; gives up after ``patience`` commands."""
        while self.state is not goal and patience > 0:
            for command in ONWARDS.get(self.state, (Command.none,)):
                self.run(1 if command else 20, command)
                patience -= 1
                if self.state is goal:
                    break
        return self

    def _react(self, outputs: Outputs) -> tuple[Change, ...]:
        changes, self._forced = self._forced if self.clears else {}, {}
        if outputs.test_line and self.answers:
            row = self.table.interlocks[self.table.interlock_ids[outputs.test_line - 1]]
            for name, value in (row.proof or {}).items():
                self._forced[name] = changes.get(name) or self.healthy(name)
                changes[name] = Change(self.signal(name), self.table.counts(name, value) * ONE)
        if outputs.permit != self._beam:
            self._beam = outputs.permit
            changes |= {name: self.healthy(name) for name in self.plant.beam}
        return tuple(changes.values())

    # ---- what the controller says ------------------------------------------------------------------

    def names(self, mask: int) -> set[str]:
        """Interlocks in a mask."""
        return {name for i, name in enumerate(self.table.interlock_ids) if mask >> i & 1}

    @property
    def tripped(self) -> set[str]:
        return self.names(self.outputs.tripped)

    @property
    def latched(self) -> set[str]:
        return self.names(self.outputs.latched)

    @property
    def first_up(self) -> str | None:
        index = self.outputs.first_up
        return None if index < 0 else self.table.interlock_ids[index]

    @property
    def refused_by(self) -> str | None:
        """The interlock that refused the last command; None when it was accepted or the state forbids it."""
        index = self.outputs.reply.blocked_by
        return None if index < 0 else self.table.interlock_ids[index]
