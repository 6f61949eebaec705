"""Read a plan, whatever it is: a DICOM RT Plan or a plan file of this project (YAML).

What a file is, is decided by its content; of the name only ``.dcm`` counts.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sim.machine import Machine
from sim.plan.course import Course, Finding, PlanError
from sim.plan.findings import Findings
from sim.plan.limits import check

MAX_FILE_SIZE = 256 * 1024 * 1024  # bytes; plans are kilobytes to a few megabytes
_PREFIX = slice(128, 132)
_LOOKED_AT = 4096


def load_plan(path: Path, machine: Machine, fraction_group: int | None = None) -> Course:
    """The course in a DICOM RT Plan or YAML plan file, checked against ``machine``.

    ``fraction_group`` is the DICOM Fraction Group Number to deliver; it must be given when the
    plan has several. ``Course.findings`` holds what was assumed on the way.

    Raises PlanError when the plan cannot be delivered (``.findings`` says why, errors first) and
    :class:`firmware_model.strict_yaml.DocumentError` when a YAML file is not what it should be.
    """
    source = str(path)
    data = _read(path, source)
    if path.suffix.lower() == ".dcm" or is_dicom(data):
        from sim.plan.dicom_plan import read_dicom_plan

        course = read_dicom_plan(data, source, machine, fraction_group)
    else:
        from sim.plan.yaml_plan import read_yaml_plan

        course = read_yaml_plan(path, machine)
        if fraction_group is not None:
            raise PlanError(
                source,
                [
                    Finding(
                        "error",
                        "fraction-group-unknown",
                        "plan",
                        f"fraction group {fraction_group} was asked for, but only DICOM plans have fraction "
                        "groups; leave it out",
                    )
                ],
            )
    findings = Findings()
    findings.extend(course.findings)
    findings.extend(check(course, machine))
    findings.raise_errors(source)
    for name, at in (*((t.id, t.centre) for t in course.targets), *((o.id, o.at) for o in course.organs)):
        if not course.body.holds(at):
            findings.warning(
                "outside-outline", name, "outside of the assumed outline of the patient: its dose will be 0"
            )
    return replace(course, findings=findings.ordered())


def is_dicom(data: bytes) -> bool:
    """DICM at byte 128, or else bytes that no text file holds. An empty file is no DICOM."""
    if data[_PREFIX] == b"DICM":
        return True
    start = data[:_LOOKED_AT]
    if b"\0" in start:
        return not start.startswith((b"\xff\xfe", b"\xfe\xff"))  # UTF-16 text is refused as YAML, with advice
    return False


def _read(path: Path, source: str) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_SIZE + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        finding = Finding(
            "error", "file-not-readable", "file", f"{reason}; check the path and its permissions"
        )
        raise PlanError(source, [finding]) from None
    if len(data) > MAX_FILE_SIZE:
        finding = Finding(
            "error",
            "file-too-large",
            "file",
            f"larger than {MAX_FILE_SIZE // 1024**2} MiB; no plan is, check that this is the right file",
        )
        raise PlanError(source, [finding])
    return data
