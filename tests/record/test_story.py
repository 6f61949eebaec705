"""What the terminal shows."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from sim.record.figures import clock, duration, number, quantity
from sim.record.narrative import Line, collapse, first_cause, tell
from sim.record.story import print_story
from sim.record.trace import Event, Trace

GOLDEN = """\
Door opens
scenarios/door.yaml · board model · seed 7
00:00.000      power on

00:01.000  Target liver, fraction 1
00:02.000      patient set up
00:03.000      image taken; shift found +1.2 / -0.3 / 0 mm
00:04.000      proof test passed, 14 lines in 120 ms
00:05.000    Beam 1 “AP”, 100.00 MU
00:05.003      beam on
00:08.000  !   FAULT: door open (maze door)
00:08.003  !   interlock DOOR (Room door open) trips, first up; stop: interrupt, latched for operator reset
00:08.004      beam off 1.45 ms after the trip, 4.45 ms after the fault
00:08.005  !   29.97 of 100.00 MU delivered, ended by interlock
00:09.000  !   command resume refused: DOOR is latched
00:10.000      DOOR clears
00:11.000      operator: reset interlocks
00:11.000      latch of DOOR reset
00:12.000  !   INVARIANT no_beam_with_door_open violated: 0.45 ms too long

Expectations
                                         measured  limit    margin
  ✗  beam off after the door opens        4.45 ms   4 ms  -0.45 ms
  ?  liver is complete              not evaluated  99 MU         —

Invariants
  ✗ no_beam_with_door_open (No beam with the door open) violated
      0.45 ms too long
  ✓ 13 invariants held
  · no occasion to evaluate: right_target

Targets
                     planned MU  delivered MU
  liver, fraction 1      100.00         29.97

✗ FAIL  12 s simulated in 40 ms
Room door open (DOOR) tripped first, at 00:08.003, 3 ms after the fault “door open” (stop class: interrupt).
Reproduce: interlock run scenarios/door.yaml --seed 7
"""


def small_trace() -> Trace:
    trace = Trace()
    say = trace.event
    say(0, "power", on=True)
    say(1_000_000, "target", target="liver", phase="start", fraction=1)
    say(2_000_000, "setup", target="liver")
    say(3_000_000, "image", target="liver", shift_mm=[1.2, -0.3, 0.0])
    say(4_000_000, "proof_test", passed=True, lines=14, duration_ms=120.0, failed=None)
    say(5_000_000, "beam_start", target="liver", beam=1, name="AP", meterset_mu=100.0, start_mu=0.0)
    say(5_000_000, "permit", granted=True)
    say(5_003_370, "beam", on=True)
    say(8_000_000, "fault", fault="door_open", step="s1", active=True, detail="maze door")
    say(8_003_000, "trip", interlock="DOOR", stop="interrupt", latch="operator", first_up=True)
    say(8_003_000, "permit", granted=False)
    say(8_004_450, "beam", on=False)
    say(
        8_004_500,
        "beam_end",
        target="liver",
        beam=1,
        delivered_mu=29.968,
        planned_mu=100.0,
        cause="interlock",
    )
    say(9_000_000, "command", command="resume", accepted=False, reason="DOOR is latched")
    say(10_000_000, "trip_cleared", interlock="DOOR")
    say(11_000_000, "operator", act="reset_interlocks", detail="")
    say(11_000_000, "latch_reset", interlock="DOOR")
    say(12_000_000, "invariant", id="no_beam_with_door_open", detail="0.45 ms too long")
    trace.end_us = 12_000_000
    return trace


def small_run() -> dict[str, Any]:
    held = [{"id": f"i{n}", "status": "held", "evaluated": 3} for n in range(13)]
    return {
        "verdict": "FAIL",
        "scenario": {"path": "scenarios/door.yaml", "title": "Door opens", "digest": "d"},
        "board": {"kind": "model"},
        "seed": 7,
        "sim_time_s": 12.0,
        "wall_time_s": 0.04,
        "expectations": [
            {
                "text": "beam off after the door opens",
                "status": "fail",
                "measured": 4.45,
                "limit": 4.0,
                "unit": "ms",
                "margin": -0.45,
            },
            {
                "text": "liver is complete",
                "status": "not_evaluated",
                "measured": None,
                "limit": 99,
                "unit": "MU",
                "margin": None,
            },
        ],
        "invariants": [
            *held,
            {
                "id": "no_beam_with_door_open",
                "title": "No beam with the door open",
                "status": "violated",
                "evaluated": 9,
                "detail": "0.45 ms too long",
            },
            {"id": "right_target", "status": "not_evaluated", "evaluated": 0},
        ],
        "interlocks": [{"id": "DOOR", "title": "Room door open", "first_up": True, "time_s": 8.003}],
        "targets": [{"id": "liver", "fraction": 1, "planned_mu": 100.0, "delivered_mu": 29.968, "beams": []}],
        "reproduce": "interlock run scenarios/door.yaml --seed 7",
    }


def told(trace: Trace, run: dict[str, Any], **options: Any) -> str:
    out = io.StringIO()
    print_story(trace, run, Console(file=out, **options))
    return out.getvalue()


def test_redirected_output_is_plain_text() -> None:
    """No colour, no wrapping at 80 columns, no trailing blanks."""
    assert told(small_trace(), small_run(), width=80) == GOLDEN


def test_dose_is_told_at_centres_and_organs() -> None:
    run = small_run()
    centre = {"of": "liver", "kind": "centre", "prescribed_gy": 15.0, "planned_gy": 15.0, "delivered_gy": 4.5}
    centre |= {"difference_gy": -10.5, "own_gy": 4.0, "cross_gy": 0.5}
    rim = {**centre, "kind": "rim", "side": "left", "delivered_gy": 4.25}
    organ = {
        "of": "cord",
        "kind": "organ",
        "planned_gy": 2.0,
        "delivered_gy": 2.0001,
        "difference_gy": 0.0001,
    }
    run["dose"] = {"points": [centre, rim, {**organ, "own_gy": 0.0, "cross_gy": 2.0001}]}
    shown = told(small_trace(), run).split("Dose, Gy\n")[1].split("\n\n")[0]
    assert shown == (
        "         prescribed  planned  delivered  difference  own beams  other beams\n"
        "  liver      15.000   15.000      4.500     -10.500      4.000        0.500\n"
        "  cord            —    2.000      2.000       0.000          —        2.000"
    )


def test_no_dose_is_told_with_its_reason() -> None:
    run = {**small_run(), "dose": {"not_computed": "no beam data for 15 MV"}}
    assert "Dose, Gy\n  not computed: no beam data for 15 MV\n" in told(small_trace(), run)


def test_a_pass_names_no_command(trace: Trace, run: dict[str, Any]) -> None:
    text = told(trace, run)
    assert "✓ PASS" in text
    assert "✓ 4 invariants held" in text
    assert "Reproduce" not in text


def test_a_terminal_gets_colour_and_wraps() -> None:
    text = told(
        small_trace(),
        small_run(),
        force_terminal=True,
        color_system="standard",
        width=60,
        legacy_windows=False,
    )
    assert "\x1b[1;31m" in text
    command = [line for line in text.splitlines() if "Reproduce" in line]
    assert len(command) == 1
    assert "interlock run scenarios/door.yaml --seed 7" in command[0]


def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    text = told(small_trace(), small_run(), force_terminal=True, color_system="standard", width=200)
    assert "\x1b[1;31m" not in text
    assert "✗ FAIL" in text


def test_ascii_output() -> None:
    raw = io.BytesIO()
    with io.TextIOWrapper(raw, encoding="ascii", newline="\n") as out:
        print_story(small_trace(), small_run(), Console(file=out))
        out.flush()
        text = raw.getvalue().decode("ascii")
    assert 'Beam 1 "AP"' in text
    assert "x FAIL" in text
    assert "?" in text


def test_names_cannot_steer_the_terminal() -> None:
    run = small_run()
    run["scenario"]["title"] = "[bold]evil[/] \x1b[2J\x07 title"
    trace = small_trace()
    trace.event(12_000_000, "operator", act="\x1b]0;owned\x07[red]hi", detail="two\nlines")
    text = told(trace, run)
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[bold]evil[/]" in text
    assert "[red]hi (two lines)" in text


def test_nothing_known_still_prints() -> None:
    assert told(Trace(), {}).splitlines() == ["Session", "", "", "? —", "No interlock stopped the beam."]


def test_breathing_holds_are_told_once(trace: Trace, run: dict[str, Any]) -> None:
    text = told(trace, run)
    assert text.count("BREATHING_GATE (Breathing outside the gate) trips") == 1
    assert "the same 5 more times, until" in text
    assert "slowest beam off 1.5 ms" in text


def test_every_event_is_in_the_full_story(trace: Trace, run: dict[str, Any]) -> None:
    assert len(tell(trace, run)) == len(trace.events)


def test_unknown_events_are_details() -> None:
    trace = Trace()
    trace.event(5, "gremlin_seen", colour="green", count=2)
    (line,) = tell(trace, {})
    assert line.text == "gremlin seen: colour=green, count=2"
    assert line.detail


def test_first_cause_prefers_a_stop_to_a_hold(trace: Trace, run: dict[str, Any]) -> None:
    assert first_cause(trace, run).startswith(
        "Treatment room door open (DOOR) tripped first, at 11:38.548, 3 ms"
    )
    run["interlocks"] = run["interlocks"][:1]
    quiet = Trace()
    assert (
        first_cause(quiet, run) == "Breathing outside the gate (BREATHING_GATE) tripped first, at 05:26.243."
    )


@given(st.lists(st.sampled_from("abc"), max_size=40))
def test_collapsing_keeps_first_and_last(keys: list[str]) -> None:
    lines = [Line(t, f"{key}{t}", "machine", key) for t, key in enumerate(keys)]
    told_lines = collapse(lines)
    assert len(told_lines) <= len(lines)
    assert [line.t_us for line in told_lines] == sorted(line.t_us for line in told_lines)
    assert {line.key for line in told_lines} - {"again"} == set(keys)


def test_headings_are_never_collapsed() -> None:
    lines = [Line(t, "Beam", "delivery", "Beam", rank="beam") for t in range(9)]
    assert collapse(lines) == lines


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (6.2, "6.2"),
        (10.0, "10"),
        (-0.0, "0"),
        (0.00123456, "0.00123"),
        (1234567.0, "1234567"),
        (-0.0004, "-0.0004"),
        (1 / 3, "0.333"),
    ],
)
def test_number(value: float, text: str) -> None:
    assert number(value) == text


def test_times() -> None:
    assert clock(0) == "00:00.000"
    assert clock(59_999_600) == "01:00.000"
    assert clock(3_725_001_000) == "62:05.001"
    assert [duration(us) for us in (350, 6200, 4_450, 12.5e6, 2472e6)] == [
        "350 µs", "6.2 ms", "4.45 ms", "12.5 s", "41.2 min",
    ]  # fmt: skip
    assert quantity(True) == "yes"
    assert quantity(1.5, "ms", signed=True) == "+1.5 ms"


def test_quantities_read_well() -> None:
    assert quantity(40_550.301, "ms") == "40.55 s"
    assert quantity(-40_540.301, "ms", signed=True) == "-40.54 s"
    assert quantity(9_999.0, "ms") == "9999 ms"
    assert [quantity(n, "times") for n in (0, 1, 2)] == ["0 times", "1 time", "2 times"]
    assert quantity(1, "MU/min") == "1 MU/min"


def test_a_beam_that_never_came_on() -> None:
    trace = Trace()
    trace.event(0, "session", phase="start")
    assert first_cause(trace, {}) == "The beam never came on."
    trace.event(5, "operator", act="abandon", detail="check refused: IMAGE_SHIFT")
    assert first_cause(trace, {}) == "The beam never came on; check refused: IMAGE_SHIFT."
    trace.event(6, "trip", interlock="SELF_TEST", stop="terminate", latch="physics", first_up=False)
    titled = {"interlocks": [{"id": "SELF_TEST", "title": "Proof test failed"}]}
    assert first_cause(trace, titled) == "The beam never came on; tripped: Proof test failed (SELF_TEST)."


def test_power_lost_with_the_beam_on_is_no_interlock() -> None:
    trace = Trace()
    trace.event(0, "power", on=False)
    trace.event(1_000_000, "beam", on=True)
    trace.event(2_000_000, "power", on=False)
    trace.event(2_000_000, "beam", on=False)
    trace.event(2_000_000, "fault", fault="power_dip", active=True)
    trace.event(3_000_000, "trip", interlock="RESET_IN_BEAM", stop="terminate", latch="none", first_up=True)
    assert first_cause(trace, {}) == (
        "The controller went off with the beam on, at 00:02.000, with the fault “power dip”; "
        "no interlock had stopped the beam before."
    )
    trace.events.insert(
        2, Event(1_500_000, "trip", {"interlock": "DOOR", "stop": "interrupt", "first_up": True})
    )
    assert first_cause(trace, {}).startswith("Interlock DOOR tripped first, at 00:01.500")


def gated_trace() -> Trace:
    trace = Trace()
    for index in range(5):
        t = index * 4_000_000
        trace.event(t, "beam", on=True)
        trace.event(t + 1_000_000, "trip", interlock="GATE", stop="hold", latch="none", first_up=False)
        trace.event(t + 1_000_700 + index, "beam", on=False)
        trace.event(t + 2_000_000, "trip_cleared", interlock="GATE")
    return trace


def test_a_hold_is_no_stop() -> None:
    assert first_cause(gated_trace(), {}) == "No interlock stopped the beam; GATE held it 5 times."
    assert told(gated_trace(), {}).splitlines()[2:7] == [
        "00:00.000      beam on",
        "00:01.000      GATE holds the beam",
        "00:01.001      beam off 700 µs after the trip",
        "00:02.000      GATE clears",
        "00:04.000      … the same 4 more times, until 00:18.000; slowest beam off 704 µs",
    ]


def test_a_beam_that_goes_off_with_the_trip() -> None:
    trace = Trace()
    trace.event(0, "beam", on=True)
    trace.event(10, "fault", fault="press_stop", active=True)
    trace.event(92, "trip", interlock="STOP", stop="emergency", latch="local", first_up=True)
    trace.event(92, "beam", on=False)
    assert "beam off with the trip, 82 µs after the fault" in told(trace, {})
