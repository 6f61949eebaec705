"""From bytes to a DICOM dataset, and what may be said about whose plan it is.

Files without preamble and file meta information are common among exported plans and are read
all the same. What pydicom warns about or logs is collected as findings; nothing leaks to the
terminal, because such texts can quote patient data.

No name and no ID of a patient leaves this module: :class:`Identity` turns them into a token and
removes them from free text. The token is a pseudonym, not an anonymisation: who knows the ID can
compute it.
"""

from __future__ import annotations

import hashlib
import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from sim.plan.dicom_values import DICOM_ERRORS, Values
from sim.plan.findings import Findings, Refused

_PATIENT_KEYWORDS = (
    "PatientID",
    "OtherPatientIDs",
    "PatientName",
    "OtherPatientNames",
    "PatientBirthName",
    "PatientMotherBirthName",
)
_REMOVED = "[removed]"
_QUOTED = re.compile(r"""(['"]).*\1|(['"]).*""", re.DOTALL)
_MESSAGE_LENGTH = 160


def open_dataset(data: bytes) -> Values:
    """The dataset in ``data``, named "plan". Raises Refused when there is none."""
    import pydicom  # only a DICOM plan pays for the import
    from pydicom.errors import BytesLengthException, InvalidDicomError

    try:
        dataset = pydicom.dcmread(BytesIO(data), force=True)
        empty = len(dataset) == 0
    except (BytesLengthException, InvalidDicomError, *DICOM_ERRORS) as error:  # type: ignore[misc]
        raise Refused(
            "not-dicom",
            "file",
            f"not readable as DICOM ({type(error).__name__}); the file is damaged or of another kind, "
            "export the plan again",
        ) from None
    if empty:
        raise Refused(
            "not-dicom", "file", "holds no DICOM element; give a DICOM RT Plan or a YAML plan of this project"
        )
    return Values(dataset, "plan")


@contextmanager
def quiet_pydicom(findings: Findings, identity: Identity) -> Iterator[None]:
    """Turn warnings and log messages of pydicom into notes, without the values they quote."""
    logger = logging.getLogger("pydicom")
    collected = _Collector()
    propagate = logger.propagate
    logger.addHandler(collected)
    logger.propagate = False
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield
    finally:
        logger.propagate = propagate
        logger.removeHandler(collected)
    for message in dict.fromkeys([*(str(w.message) for w in caught), *collected.messages]):
        shown = identity.clean(_QUOTED.sub("'...'", message))[:_MESSAGE_LENGTH]
        findings.note("not-conformant", "file", f"pydicom reports: {shown}")


class _Collector(logging.Handler):
    def __init__(self) -> None:
        super().__init__(level=logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


class Identity:
    """The patient of a plan, as a token; and a filter for texts that might name the patient."""

    def __init__(self) -> None:
        self.token = "P-unidentified"
        self._patterns: list[re.Pattern[str]] = []

    def learn(self, plan: Values) -> None:
        """Take token and forbidden words from the patient elements of ``plan``."""
        texts: dict[str, list[str]] = {keyword: _texts(plan, keyword) for keyword in _PATIENT_KEYWORDS}
        for key in ("PatientID", "PatientName"):
            if texts[key]:
                digest = hashlib.sha256("\n".join(texts[key]).encode("utf-8", "replace")).hexdigest()
                self.token = f"P-{digest[:12]}"
                break
        words: set[str] = set()
        for values in texts.values():
            for value in values:
                words.add(value)
                words.update(re.split(r"[\^=\s,]+", value))
        for word in sorted((w for w in words if len(w) > 1), key=lambda w: (-len(w), w)):
            escaped = re.escape(word)
            # A short word inside a longer one says nothing about the patient.
            pattern = escaped if len(word) > 3 else rf"(?<!\w){escaped}(?!\w)"
            self._patterns.append(re.compile(pattern, re.IGNORECASE))

    def clean(self, text: str) -> str:
        """``text`` on one line, without the patient's names and IDs."""
        for pattern in self._patterns:
            text = pattern.sub(_REMOVED, text)
        return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _texts(plan: Values, keyword: str) -> list[str]:
    try:
        values: list[Any] = plan.values(keyword)
    except Refused:
        return []
    return [text for value in values if (text := str(value).strip(" \0"))]
