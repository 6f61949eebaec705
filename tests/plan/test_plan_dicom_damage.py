"""Damaged files: whatever happens to the bytes, the answer is a course or a PlanError.

A shortened file must moreover never pass as another plan: it is refused, or nothing that is
delivered was lost.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pydicom
import pytest
from bundled_plans import pydicom_file, pymedphys_file
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from rtplan_builder import (
    JAWS,
    beam,
    device,
    encode,
    first_point,
    group,
    item,
    later_point,
    plan,
    read,
    reference,
)

from sim.machine import BeamQuality, Machine
from sim.plan.course import Course, PlanError
from sim.plan.dicom_plan import course_of
from sim.plan.dicom_values import Values

SEARCH = settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
SLOW_FILE = settings(SEARCH, max_examples=15)


@pytest.fixture(scope="module")
def fast_machine(machine: Machine) -> Machine:
    """A machine that delivers the plan of pydicom, which wants 650 MU/min."""
    fast = BeamQuality(
        energy_mv=6,
        fluence_mode="flattened",
        max_dose_rate=650,
        bend_current=5200,
        on_latency_us=3370,
        off_latency_us=1450,
    )
    return machine.model_copy(update={"beams": [fast]})


@cache
def small_file() -> bytes:
    return pydicom_file("rtplan.dcm").read_bytes()


@cache
def large_file() -> bytes:
    return pymedphys_file("vmat_example.dcm").read_bytes()


def delivered(data: bytes, machine: Machine) -> str | None:
    """Digest of the course, or None when it is refused. Any other exception ends the test."""
    try:
        return read(data, machine).digest
    except PlanError as refused:
        findings = refused.findings
    assert any(finding.severity == "error" for finding in findings)
    return None


@SEARCH
@given(length=st.integers(0, len(small_file())))
@example(length=0)
@example(length=131)
def test_a_shortened_file_is_refused_or_still_delivers_the_same(length: int, fast_machine: Machine) -> None:
    whole = delivered(small_file(), fast_machine)
    assert whole is not None
    assert delivered(small_file()[:length], fast_machine) in (None, whole)


@SLOW_FILE
@given(data=st.data())
def test_a_shortened_arc_plan_is_refused_or_still_delivers_the_same(data: Any, machine: Machine) -> None:
    content = large_file()
    whole = delivered(content, machine)
    length = data.draw(st.integers(0, len(content)))
    assert delivered(content[:length], machine) in (None, whole)


@SEARCH
@given(
    spots=st.lists(
        st.tuples(st.integers(0, len(small_file()) - 1), st.integers(0, 255)), min_size=1, max_size=8
    )
)
def test_changed_bytes_end_in_a_course_or_a_plan_error(
    spots: list[tuple[int, int]], fast_machine: Machine
) -> None:
    content = bytearray(small_file())
    for index, value in spots:
        content[index] = value
    delivered(bytes(content), fast_machine)


@SLOW_FILE
@given(data=st.data())
def test_changed_bytes_of_an_arc_plan_end_in_a_course_or_a_plan_error(data: Any, machine: Machine) -> None:
    content = bytearray(large_file())
    spots = st.lists(
        st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255)), min_size=1, max_size=20
    )
    for index, value in data.draw(spots):
        content[index] = value
    delivered(bytes(content), machine)


@SEARCH
@given(content=st.binary(max_size=300))
def test_random_bytes_are_a_plan_error(content: bytes, machine: Machine) -> None:
    assert delivered(content, machine) is None
    assert delivered(b"\0" * 128 + b"DICM" + content, machine) is None


def rich_plan() -> Dataset:
    """A plan in which every element that is read is present."""
    field = [*JAWS, device("MLCX", [-10.0] * 40 + [10.0] * 40)]
    named = [item(ReferencedDoseReferenceNumber=1)]
    points = [
        first_point(
            BeamLimitingDevicePositionSequence=field,
            GantryRotationDirection="CW",
            TableTopVerticalPosition=-100,
            TableTopPitchAngle=0.0,
        ),
        later_point(1, 0.5, GantryAngle=40, ReferencedDoseReferenceSequence=named),
        later_point(2, 1, GantryAngle=90, GantryRotationDirection="NONE"),
    ]
    edges = [float(edge) for edge in range(-20, 21)]
    built = beam(
        1,
        points,
        BeamType="DYNAMIC",
        NumberOfWedges=0,
        PrimaryFluenceModeSequence=[item(FluenceMode="NON_STANDARD", FluenceModeID="FFF")],
        BeamLimitingDeviceSequence=[
            item(RTBeamLimitingDeviceType="MLCX", NumberOfLeafJawPairs=40, LeafPositionBoundaries=edges)
        ],
    )
    refs = [reference(1, 100, BeamDeliveryDurationLimit=60.0, ReferencedDoseReferenceUID="1.2.3")]
    return plan([built], [group(refs, ReferencedDoseReferenceSequence=named)], ApprovalStatus="APPROVED")


def items_of(ds: Dataset) -> list[Dataset]:
    """This dataset and all items of its sequences."""
    found = [ds]
    for element in ds:
        if element.VR == "SQ":
            for nested in element.value:
                found += items_of(nested)
    return found


DAMAGE = st.sampled_from(["delete", "empty", "text", "number", "bytes", "list", "sequence", "infinite"])


@SEARCH
@given(
    choices=st.lists(
        st.tuples(st.integers(0, 10_000), st.integers(0, 10_000), DAMAGE), min_size=1, max_size=4
    )
)
def test_elements_of_a_wrong_kind_end_in_a_course_or_a_plan_error(
    choices: list[tuple[int, int, str]], machine: Machine
) -> None:
    built = pydicom.dcmread(pydicom.filebase.DicomBytesIO(encode(rich_plan())))
    for which_item, which_element, damage in choices:
        nested = items_of(built)
        holder = nested[which_item % len(nested)]
        tags = list(holder.keys())
        if not tags:
            continue
        tag = tags[which_element % len(tags)]
        wrong = {
            "empty": ("LO", ""),
            "text": ("LT", "abc"),
            "number": ("FD", -3.7),
            "bytes": ("OB", b"\xff\x00"),
            "list": ("FD", [1.0, 2.0, 3.0, 4.0]),
            "sequence": ("SQ", [item(Modality="X")]),
            "infinite": ("FD", float("inf")),
        }
        del holder[tag]
        if damage != "delete":
            vr, value = wrong[damage]
            holder[tag] = pydicom.DataElement(tag, vr, value)
    assert_course_or_refusal(built, machine)


def assert_course_or_refusal(built: Dataset, machine: Machine) -> None:
    """On the dataset itself, because elements of a wrong kind do not survive being written."""
    try:
        course = course_of(lambda: Values(built, "plan"), "plan.dcm", machine, None)
    except PlanError:
        return
    assert isinstance(course, Course)


def test_the_undamaged_plan_of_these_tests_is_accepted(machine: Machine) -> None:
    assert read(rich_plan(), machine).targets[0].meterset == 100_000
