-- The ledger of one course. Metersets in 0.001 MU. What is written once is never changed: the triggers
-- refuse it to every program, this one included.

CREATE TABLE course (
    only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
    id TEXT NOT NULL,
    patient TEXT NOT NULL,
    plan TEXT NOT NULL -- SHA-256 over everything that is delivered
);

-- What the plan asks for, so that the file can be read without it.
CREATE TABLE target (id TEXT PRIMARY KEY, place INTEGER NOT NULL, fractions INTEGER NOT NULL);
CREATE TABLE beam (
    target TEXT NOT NULL REFERENCES target (id),
    number INTEGER NOT NULL,
    meterset INTEGER NOT NULL,
    PRIMARY KEY (target, number)
);

CREATE TABLE session (
    number INTEGER PRIMARY KEY,
    began TEXT NOT NULL,  -- local time of the clinic
    source TEXT NOT NULL, -- what ran it
    ended INTEGER NOT NULL DEFAULT 0 CHECK (ended IN (0, 1)) -- 0 for ever: nobody said so
);

-- One stretch of a beam, from beam on to its end. Without `finish` it is under way, or its writer died.
CREATE TABLE delivery (
    number INTEGER PRIMARY KEY,
    session INTEGER NOT NULL REFERENCES session (number),
    target TEXT NOT NULL,
    fraction INTEGER NOT NULL CHECK (fraction >= 1),
    beam INTEGER NOT NULL,
    start INTEGER NOT NULL CHECK (start >= 0),
    finish INTEGER CHECK (finish >= start),
    secondary INTEGER, -- what the second channel said; NULL: nobody read it
    cause TEXT,
    first_up TEXT,     -- interlock that ended it
    note TEXT,         -- who settled an end that was never written, and from what
    CHECK ((finish IS NULL) = (cause IS NULL)),
    FOREIGN KEY (target, beam) REFERENCES beam (target, number)
);
CREATE UNIQUE INDEX one_beam_at_a_time ON delivery ((finish IS NULL)) WHERE finish IS NULL;

-- Control points passed while a stretch was delivered.
CREATE TABLE passed (
    delivery INTEGER NOT NULL REFERENCES delivery (number),
    control_point INTEGER NOT NULL,
    meterset INTEGER NOT NULL,
    PRIMARY KEY (delivery, control_point)
) WITHOUT ROWID;

-- A target whose remainder will not be delivered.
CREATE TABLE abandoned (
    target TEXT PRIMARY KEY REFERENCES target (id),
    session INTEGER NOT NULL REFERENCES session (number),
    reason TEXT NOT NULL CHECK (length(reason) >= 10)
);

-- A refusal that somebody set aside for one fraction.
CREATE TABLE override (
    number INTEGER PRIMARY KEY,
    session INTEGER NOT NULL REFERENCES session (number),
    target TEXT NOT NULL REFERENCES target (id),
    fraction INTEGER NOT NULL,
    refusal TEXT NOT NULL,
    reason TEXT NOT NULL CHECK (length(reason) >= 10)
);

CREATE TRIGGER no_dose_twice BEFORE INSERT ON delivery
WHEN EXISTS (
    SELECT 1 FROM delivery AS kept
    WHERE kept.target = NEW.target AND kept.fraction = NEW.fraction AND kept.beam = NEW.beam
      AND (kept.finish IS NULL OR kept.finish > NEW.start)
)
BEGIN SELECT raise(ABORT, 'this part of the beam was delivered before'); END;

CREATE TRIGGER no_more_than_planned BEFORE INSERT ON delivery
WHEN NEW.fraction > (SELECT fractions FROM target WHERE id = NEW.target)
  OR NEW.start >= (SELECT meterset FROM beam WHERE beam.target = NEW.target AND beam.number = NEW.beam)
BEGIN SELECT raise(ABORT, 'the plan has no such fraction or part of the beam'); END;

CREATE TRIGGER nothing_to_an_abandoned_target BEFORE INSERT ON delivery
WHEN EXISTS (SELECT 1 FROM abandoned WHERE abandoned.target = NEW.target)
BEGIN SELECT raise(ABORT, 'the target was abandoned'); END;

CREATE TRIGGER kept_as_written BEFORE UPDATE ON delivery
WHEN OLD.finish IS NOT NULL OR NEW.finish IS NULL
  OR OLD.number != NEW.number OR OLD.session != NEW.session OR OLD.target != NEW.target
  OR OLD.fraction != NEW.fraction OR OLD.beam != NEW.beam OR OLD.start != NEW.start
BEGIN SELECT raise(ABORT, 'a delivery is ended once and never changed'); END;

CREATE TRIGGER not_less_than_passed BEFORE UPDATE ON delivery
WHEN NEW.finish < (SELECT max(meterset) FROM passed WHERE delivery = NEW.number)
BEGIN SELECT raise(ABORT, 'it ended before a control point that it passed'); END;

CREATE TRIGGER passed_in_order BEFORE INSERT ON passed
WHEN (SELECT finish FROM delivery WHERE number = NEW.delivery) IS NOT NULL
  OR NEW.meterset < (SELECT start FROM delivery WHERE number = NEW.delivery)
  OR EXISTS (
    SELECT 1 FROM passed AS kept
    WHERE kept.delivery = NEW.delivery
      AND (kept.control_point > NEW.control_point OR kept.meterset > NEW.meterset)
  )
BEGIN SELECT raise(ABORT, 'control points are passed in order while the beam is on'); END;

CREATE TRIGGER passed_stays BEFORE UPDATE ON passed BEGIN SELECT raise(ABORT, 'what was passed stays'); END;
CREATE TRIGGER session_ends_once BEFORE UPDATE ON session
WHEN OLD.ended = 1 OR NEW.ended = 0 OR OLD.number != NEW.number OR OLD.began != NEW.began OR OLD.source != NEW.source
BEGIN SELECT raise(ABORT, 'a session ends once and is never changed'); END;
CREATE TRIGGER target_stays BEFORE UPDATE ON target BEGIN SELECT raise(ABORT, 'the plan of a ledger stays'); END;
CREATE TRIGGER beam_stays BEFORE UPDATE ON beam BEGIN SELECT raise(ABORT, 'the plan of a ledger stays'); END;
CREATE TRIGGER course_stays BEFORE UPDATE ON course BEGIN SELECT raise(ABORT, 'the course of a ledger stays'); END;
CREATE TRIGGER abandoned_stays BEFORE UPDATE ON abandoned BEGIN SELECT raise(ABORT, 'an abandoned target stays'); END;
CREATE TRIGGER override_stays BEFORE UPDATE ON override BEGIN SELECT raise(ABORT, 'an override stays'); END;

CREATE TRIGGER no_course_deleted BEFORE DELETE ON course BEGIN SELECT raise(ABORT, 'nothing is deleted'); END;
CREATE TRIGGER no_target_deleted BEFORE DELETE ON target BEGIN SELECT raise(ABORT, 'nothing is deleted'); END;
CREATE TRIGGER no_beam_deleted BEFORE DELETE ON beam BEGIN SELECT raise(ABORT, 'nothing is deleted'); END;
CREATE TRIGGER no_session_deleted BEFORE DELETE ON session BEGIN SELECT raise(ABORT, 'nothing is deleted'); END;
CREATE TRIGGER no_delivery_deleted BEFORE DELETE ON delivery BEGIN SELECT raise(ABORT, 'nothing is deleted'); END;
CREATE TRIGGER no_passed_deleted BEFORE DELETE ON passed BEGIN SELECT raise(ABORT, 'nothing is deleted'); END;
CREATE TRIGGER no_abandoned_deleted BEFORE DELETE ON abandoned BEGIN SELECT raise(ABORT, 'nothing is deleted'); END;
CREATE TRIGGER no_override_deleted BEFORE DELETE ON override BEGIN SELECT raise(ABORT, 'nothing is deleted'); END;
