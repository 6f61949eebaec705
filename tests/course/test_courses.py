"""Courses over days: the files, and what ledger and sessions make of interruption, refusal and override."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.main import main
from firmware_model.contract import Advance, Flip, Inputs, Outputs, ResetCause, Segment
from firmware_model.controller import ModelController
from firmware_model.diagnostics import DocumentError
from sim.course.loading import load_course
from sim.course.run import CourseOutcome, run_course
from sim.ledger.store import Ledger
from sim.ledger.view import LedgerError, LedgerView
from sim.scenario.runner import BoardIdentity

ROOT = Path(__file__).parents[2]
COURSES = ROOT / "scenarios" / "courses"
PLAN = ROOT / "scenarios" / "plans" / "short_arc.yaml"
MODEL = BoardIdentity("model", "test", "")


def give(path: Path, ledger: Path) -> CourseOutcome:
    loaded = load_course(path)
    with Ledger(ledger, loaded.course) as book:
        return run_course(loaded, ModelController(loaded.table), MODEL, book)


def course(tmp_path: Path, text: str) -> Path:
    """A course of the short arc, three fractions; its schedule starts on Monday, 2 March 2026."""
    file = tmp_path / "course.yaml"
    head = f"title: A course of a test\npurpose: a test\nplan: {PLAN}\nschedule: {{start: 2026-03-02}}\n"
    file.write_text(head + text, encoding="utf-8")
    return file


@pytest.mark.parametrize("path", sorted(COURSES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_course_passes(path: Path, tmp_path: Path) -> None:
    outcome = give(path, tmp_path / "ledger.sqlite")
    assert outcome.verdict == "PASS", outcome.record
    # A second run of a course that is over has nothing left to give; what was refused stays refused.
    with LedgerView.read(tmp_path / "ledger.sqlite") as ledger:
        delivered = ledger.deliveries()
    give(path, tmp_path / "ledger.sqlite")
    with LedgerView.read(tmp_path / "ledger.sqlite") as ledger:
        assert ledger.deliveries() == delivered


def test_the_remainder_begins_where_the_first_part_ended(tmp_path: Path) -> None:
    outcome = give(COURSES / "interrupted_and_resumed.yaml", tmp_path / "ledger.sqlite")
    with LedgerView.read(tmp_path / "ledger.sqlite") as ledger:
        parts = [k for k in ledger.deliveries() if (k.target, k.fraction, k.beam) == ("node", 1, 4)]
        assert [part.cause for part in parts] == ["interlock", "normal"]
        assert parts[0].first_up == "SYMMETRY_RADIAL"
        assert parts[0].start == 0
        assert parts[0].finish == parts[1].start
        assert parts[1].finish == 1_080_000
        assert parts[0].session != parts[1].session
    # Control points passed are those of the trace, each once.
    for session in outcome.sessions:
        events = [
            (e.fields["beam"], e.fields["index"])
            for e in session.outcome.world.trace.events
            if e.kind == "control_point"
        ]
        with LedgerView.read(tmp_path / "ledger.sqlite") as ledger:
            kept = [
                (k.beam, point)
                for k in ledger.deliveries()
                if k.session == session.number
                for point, _ in k.passed
            ]
        assert kept == events


def test_records_of_both_sessions_add_up_to_the_plan(tmp_path: Path) -> None:
    outcome = give(COURSES / "interrupted_and_resumed.yaml", tmp_path / "ledger.sqlite")
    both = [s for s in outcome.sessions if any((v.target, v.fraction) == ("node", 1) for v in s.visits)]
    first, second = (s.outcome.run["targets"][0]["beams"][1] for s in both)
    assert 400 < first["delivered_mu"] < 401
    assert second["delivered_mu"] == second["planned_mu"] == 1080
    planned = [point["planned_mu"] for point in second["control_points"]]
    assert [point["delivered_mu"] for point in second["control_points"]] == planned


def test_an_early_patient_is_treated_when_somebody_answers_for_it(tmp_path: Path) -> None:
    text = (COURSES / "a_day_early.yaml").read_text(encoding="utf-8").replace("../plans", str(PLAN.parent))
    text = text.replace(
        "    days_early: 1\n",
        "    days_early: 1\n    overrides:\n"
        + "".join(
            f"      - {{target: adrenal, refusal: {rule}, reason: the physician agreed to it}}\n"
            for rule in ("rhythm", "shortest-interval")
        ),
    )
    refused = "{refused: begin_check, after: asked, by: FRACTION_CLEARANCE}"
    text = text.replace(refused, "{delivered: adrenal}")
    text = text.replace("  - {refused: {target: adrenal, fraction: 2, rule: shortest-interval}}\n", "")
    file = tmp_path / "early.yaml"
    file.write_text(text, encoding="utf-8")
    outcome = give(file, tmp_path / "ledger.sqlite")
    assert outcome.verdict == "PASS", outcome.record
    with LedgerView.read(tmp_path / "ledger.sqlite") as ledger:
        assert [(o.target, o.fraction, o.refusal) for o in ledger.overrides()] == [
            ("adrenal", 2, "rhythm"),
            ("adrenal", 2, "shortest-interval"),
        ]


def test_only_some_overrides_are_not_enough(tmp_path: Path) -> None:
    text = (COURSES / "a_day_early.yaml").read_text(encoding="utf-8").replace("../plans", str(PLAN.parent))
    text = text.replace(
        "    days_early: 1\n",
        "    days_early: 1\n    overrides:\n"
        "      - {target: adrenal, refusal: rhythm, reason: the physician agreed to it}\n",
    )
    file = tmp_path / "early.yaml"
    file.write_text(text, encoding="utf-8")
    assert give(file, tmp_path / "ledger.sqlite").verdict == "PASS"  # still refused


def test_an_abandoned_target_is_given_no_more(tmp_path: Path) -> None:
    file = course(
        tmp_path,
        "sessions:\n  - giving: {target: lesion, fraction: 1}\n"
        "    abandon: [{target: lesion, reason: progression elsewhere}]\n"
        "expect:\n  - {incomplete: lesion}\n  - {sessions: 1}\n",
    )
    outcome = give(file, tmp_path / "ledger.sqlite")
    assert outcome.verdict == "PASS", outcome.record
    assert outcome.record["targets"][0]["abandoned"] == "progression elsewhere"


def test_a_machine_that_never_gets_ready_ends_the_course(tmp_path: Path) -> None:
    """Nothing of the first fraction is ever given, so no rule between fractions ends it."""
    loaded = load_course(course(tmp_path, "expect:\n  - {incomplete: lesion}\n  - {sessions: 5}\n"))
    with Ledger(tmp_path / "ledger.sqlite", loaded.course) as book:
        outcome = run_course(loaded, NeverReady(ModelController(loaded.table)), MODEL, book)
    assert [e["status"] for e in outcome.record["expectations"]] == ["pass", "pass"]
    assert outcome.record["blocked"] == {"lesion": "nothing was delivered in 5 sessions in a row"}


class NeverReady:
    """A controller whose outputs stay those of a machine without power."""

    def __init__(self, model: ModelController) -> None:
        self._model = model
        self.retained = model.retained

    def reset(self, cause: ResetCause) -> Outputs:
        return self._model.reset(cause)

    def run(self, segment: Segment) -> Advance:
        return Advance(segment.ticks, self._model.outputs)

    def scan(self, inputs: Inputs) -> Outputs:
        return self._model.outputs

    def upset(self, flip: Flip) -> Outputs:
        return self._model.upset(flip)


class FullDisk(Ledger):
    """A ledger that takes nothing any more from its third control point on."""

    left = 3

    def passed(self, control_point: int, meterset: int) -> None:
        self.left -= 1
        if self.left < 0:
            raise LedgerError("disk full")
        super().passed(control_point, meterset)


def test_a_beam_that_cannot_be_recorded_ends(tmp_path: Path) -> None:
    file = course(tmp_path, "expect:\n  - {incomplete: lesion}\n")
    loaded = load_course(file)
    with FullDisk(tmp_path / "ledger.sqlite", loaded.course) as book:
        outcome = run_course(loaded, ModelController(loaded.table), MODEL, book)
        (open_,) = book.unfinished()
    session = outcome.sessions[0].outcome
    assert [i["id"] for i in session.run["interlocks"] if i["first_up"]] == ["FRACTION_CLEARANCE"]
    assert outcome.record["sessions"][0]["unrecorded"] == "disk full"
    assert len(open_.passed) == 3
    # The stretch without an end blocks the rest until it is settled.
    assert "unsettled" in [refusal["rule"] for refusal in outcome.record["sessions"][1]["refused"]]
    assert len(outcome.sessions) == 2
    delivered = session.world.linac.dose.delivered.counts(session.world.clock.now)
    with Ledger.reopen(tmp_path / "ledger.sqlite") as book:
        book.settle(open_.number, delivered, "retained by the controller")
    again = give(file, tmp_path / "ledger.sqlite")
    assert again.record["targets"][0]["completed"] == [1, 2, 3]


FIRST = "sessions:\n  - giving: {target: lesion, fraction: 1}\n"
LAST = "expect:\n  - {sessions: 1}\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("expect:\n  - {completed: lesionn}\n", ":6:17: the plan has no target 'lesionn'"),
        ("expect:\n  - {completed: lesion, sessions: 2}\n", ":6:5: give exactly one of"),
        (FIRST.replace("1}", "9}") + LAST, ":6:40: fraction 9: lesion has 3"),
        (FIRST + FIRST.removeprefix("sessions:\n") + LAST, ": fraction 1 of lesion is spoken of twice"),
        (
            FIRST + "    overrides: [{target: lesion, refusal: once, reason: because of that}]\n" + LAST,
            ":7:43: 'once' is not accepted",
        ),
        (FIRST + "    expect: [{trips: DOOR_OPNE}]\n" + LAST, "did you mean 'DOOR_OPEN'"),
        ("expect:\n  - {last_day: 2026-02-30}\n", ":6:16: '2026-02-30' is not a date"),
    ],
)
def test_a_wrong_course_is_refused_at_its_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(DocumentError) as refused:
        load_course(course(tmp_path, text))
    assert words in str(refused.value)


def test_the_command_leaves_records_and_a_ledger(tmp_path: Path) -> None:
    out = tmp_path / "out"
    file = COURSES / "a_day_early.yaml"
    done = CliRunner().invoke(main, ["course", str(file), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "adrenal refused: 24 h after fraction 1" in done.output
    record = json.loads((out / "course.json").read_text(encoding="utf-8"))
    assert record["verdict"] == "PASS"
    assert len(record["sessions"]) == len(list(out.glob("session_*/run.json"))) == 4
    shown = CliRunner().invoke(main, ["ledger", "show", str(out / "ledger.sqlite"), "--json"])
    assert json.loads(shown.output)["targets"][0]["fractions"][0]["delivered_mu"] == 2160
    # Going on with the ledger of a course that is over gives nothing more.
    again = CliRunner().invoke(
        main, ["course", str(file), "--out", str(out), "--ledger", str(out / "ledger.sqlite"), "--quiet"]
    )
    assert again.output == "FAIL\n"  # nothing was refused this time


def test_a_ledger_of_another_course_is_refused_by_the_command(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.sqlite"
    with Ledger(ledger, load_course(course(tmp_path, "expect:\n  - {sessions: 3}\n")).course):
        pass
    done = CliRunner().invoke(
        main,
        [
            "course",
            str(COURSES / "a_day_early.yaml"),
            "--out",
            str(tmp_path / "out"),
            "--ledger",
            str(ledger),
        ],
    )
    assert done.exit_code == 3
    assert "this is the ledger of course" in done.output
