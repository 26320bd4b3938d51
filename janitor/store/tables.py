"""The SQL of the first tables and views, and of additions to them; other tables are beside the code that uses them."""

TABLES = """
CREATE TABLE runs (
    run INTEGER PRIMARY KEY,
    mode TEXT NOT NULL,
    started_at TEXT NOT NULL,
    finished_at TEXT,
    outcome TEXT,
    error TEXT
);

-- One row per run and target. Without finished_at the target could not be surveyed, and has no snapshot in this run.
CREATE TABLE surveys (
    run INTEGER NOT NULL REFERENCES runs,
    target TEXT NOT NULL,
    position INTEGER,
    started_at TEXT,
    finished_at TEXT,
    usage_problem TEXT,
    images INTEGER NOT NULL DEFAULT 0,
    owned INTEGER NOT NULL DEFAULT 0,
    decisions INTEGER NOT NULL DEFAULT 0,
    doomed INTEGER NOT NULL DEFAULT 0,
    outcome TEXT,
    error TEXT,
    PRIMARY KEY (run, target)
);
CREATE INDEX surveys_of_target ON surveys (target, run);

-- One row per image ever seen: what only our own snapshots can know of it.
CREATE TABLE images (
    image_key INTEGER PRIMARY KEY,
    target TEXT NOT NULL,
    image TEXT NOT NULL,
    first_seen TEXT NOT NULL,
    watched_since TEXT,
    status_since TEXT,
    UNIQUE (image, target)
);
CREATE INDEX images_of_target ON images (target);

-- What the surveys saw of an image; a new row when something changed.
CREATE TABLE image_facts (
    image_key INTEGER NOT NULL REFERENCES images,
    from_run INTEGER NOT NULL REFERENCES runs,
    until_run INTEGER REFERENCES runs,
    name TEXT,
    status TEXT NOT NULL,
    public INTEGER NOT NULL,
    protected INTEGER NOT NULL,
    created_at TEXT,
    updated_at TEXT,
    size INTEGER,
    disk_format TEXT,
    min_disk INTEGER,
    min_ram INTEGER,
    properties TEXT,
    owned INTEGER NOT NULL,
    unreadable TEXT,
    PRIMARY KEY (image_key, from_run)
) WITHOUT ROWID;

-- What was decided on an image; a new row when it changed.
CREATE TABLE decisions (
    image_key INTEGER NOT NULL REFERENCES images,
    from_run INTEGER NOT NULL REFERENCES runs,
    until_run INTEGER REFERENCES runs,
    verdict TEXT NOT NULL,
    policy TEXT,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    due TEXT,
    PRIMARY KEY (image_key, from_run)
) WITHOUT ROWID;

-- Which instance used which image. It need not be an image that the target lists. A survey that could not read the
-- usage changes nothing here. last_seen is set when the use ends: the last survey that still saw it.
CREATE TABLE uses (
    target TEXT NOT NULL,
    image TEXT NOT NULL,
    instance TEXT NOT NULL,
    instance_name TEXT NOT NULL,
    from_run INTEGER NOT NULL REFERENCES runs,
    until_run INTEGER REFERENCES runs,
    last_seen TEXT,
    PRIMARY KEY (target, image, instance, instance_name, from_run)
) WITHOUT ROWID;
CREATE INDEX present_uses ON uses (target) WHERE until_run IS NULL;

-- The journal: a row is written before the request is sent. Without answer it is not known what the API said. The
-- outcome is what the survey afterwards confirmed. Without requested_at nothing was sent.
CREATE TABLE deletions (
    deletion INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs,
    target TEXT NOT NULL,
    image TEXT NOT NULL,
    requested_at TEXT,
    answered_at TEXT,
    answer TEXT,
    outcome TEXT,
    detail TEXT,
    position INTEGER
);
CREATE INDEX deletions_of_run ON deletions (run, target, image);
CREATE INDEX deletions_of_image ON deletions (target, image);

CREATE TABLE reports (
    report INTEGER PRIMARY KEY,
    run INTEGER REFERENCES runs,
    channel TEXT NOT NULL,
    messages TEXT NOT NULL,
    created_at TEXT NOT NULL,
    delivered_at TEXT,
    failed_at TEXT,
    error TEXT
);
CREATE INDEX undelivered_reports ON reports (report) WHERE delivered_at IS NULL;
"""

VIEWS = """
-- Every image that every run saw, with what the run decided on it; nothing where it stopped before it decided.
CREATE VIEW snapshots AS
SELECT s.run, s.target, i.image, f.name, f.status, f.public, f.protected, f.created_at, f.updated_at, f.size,
    f.disk_format, f.min_disk, f.min_ram, f.properties, f.owned, f.unreadable,
    d.verdict, d.policy, d.reason, d.detail, d.due, s.finished_at AS seen_at
FROM surveys s
JOIN images i ON i.target = s.target
JOIN image_facts f ON f.image_key = i.image_key
    AND f.from_run <= s.run AND (f.until_run IS NULL OR f.until_run > s.run)
LEFT JOIN decisions d ON d.image_key = i.image_key AND s.decisions > 0
    AND d.from_run <= s.run AND (d.until_run IS NULL OR d.until_run > s.run)
WHERE s.finished_at IS NOT NULL;

-- The latest snapshot of each target.
CREATE VIEW current_images AS
SELECT snapshots.*, i.first_seen, i.watched_since, i.status_since
FROM (SELECT target, max(run) AS run FROM surveys WHERE finished_at IS NOT NULL GROUP BY target) AS latest
JOIN snapshots ON snapshots.run = latest.run AND snapshots.target = latest.target
JOIN images i ON i.target = snapshots.target AND i.image = snapshots.image;

-- Every deletion with the image as it was, and why.
CREATE VIEW deletion_log AS
SELECT x.requested_at, x.run, x.target, x.image, f.name, f.size, f.created_at, d.policy, d.reason, d.detail AS why,
    x.answer, x.outcome, x.detail
FROM deletions x
LEFT JOIN images i ON i.target = x.target AND i.image = x.image
LEFT JOIN image_facts f ON f.image_key = i.image_key
    AND f.from_run <= x.run AND (f.until_run IS NULL OR f.until_run > x.run)
LEFT JOIN decisions d ON d.image_key = i.image_key
    AND d.from_run <= x.run AND (d.until_run IS NULL OR d.until_run > x.run);

-- How much went on each day (UTC).
CREATE VIEW deletions_by_day AS
SELECT date(requested_at) AS day, target, outcome, count(*) AS images, sum(size) AS bytes
FROM deletion_log
GROUP BY day, target, outcome;
"""

SETTLING = """
-- unsettled: no survey of its own run could tell what became of it. settled_*: the run whose survey could, and what it
-- found; outcome and detail stay what the run itself reported.
ALTER TABLE deletions ADD COLUMN unsettled INTEGER NOT NULL DEFAULT 0;
ALTER TABLE deletions ADD COLUMN settled_in_run INTEGER REFERENCES runs;
ALTER TABLE deletions ADD COLUMN settled_outcome TEXT;
ALTER TABLE deletions ADD COLUMN settled_detail TEXT;
CREATE INDEX unsettled_deletions ON deletions (target, deletion)
    WHERE settled_in_run IS NULL AND (outcome IS NULL OR unsettled);
CREATE INDEX settled_deletions ON deletions (settled_in_run) WHERE settled_in_run IS NOT NULL;

DROP VIEW deletions_by_day;
DROP VIEW deletion_log;

-- Every deletion with the image as it was, why, and the last word on what became of it.
CREATE VIEW deletion_log AS
SELECT x.requested_at, x.run, x.target, x.image, f.name, f.size, f.created_at, d.policy, d.reason, d.detail AS why,
    x.answer, coalesce(x.settled_outcome, x.outcome) AS outcome, coalesce(x.settled_detail, x.detail) AS detail,
    x.settled_in_run
FROM deletions x
LEFT JOIN images i ON i.target = x.target AND i.image = x.image
LEFT JOIN image_facts f ON f.image_key = i.image_key
    AND f.from_run <= x.run AND (f.until_run IS NULL OR f.until_run > x.run)
LEFT JOIN decisions d ON d.image_key = i.image_key
    AND d.from_run <= x.run AND (d.until_run IS NULL OR d.until_run > x.run);

-- How much went on each day (UTC).
CREATE VIEW deletions_by_day AS
SELECT date(requested_at) AS day, target, outcome, count(*) AS images, sum(size) AS bytes
FROM deletion_log
GROUP BY day, target, outcome;
"""

SOURCES = """
-- tags: JSON; NULL is none, and null is that they could not be read.
ALTER TABLE image_facts ADD COLUMN visibility TEXT;
ALTER TABLE image_facts ADD COLUMN owner TEXT;
ALTER TABLE image_facts ADD COLUMN os_hidden INTEGER DEFAULT 0;
ALTER TABLE image_facts ADD COLUMN tags TEXT;
-- What used the image: an instance, a volume, or an image that is built upon it.
ALTER TABLE uses ADD COLUMN kind TEXT NOT NULL DEFAULT 'instance';
-- What the survey could not see and did not insist on seeing: JSON, kinds of users, and sentences that say why. The
-- uses of these kinds go on in `uses`, and are no part of what the survey saw.
ALTER TABLE surveys ADD COLUMN usage_unread TEXT;
ALTER TABLE surveys ADD COLUMN usage_remarks TEXT;

DROP VIEW current_images;
DROP VIEW snapshots;

-- Every image that every run saw, with what the run decided on it; nothing where it stopped before it decided.
CREATE VIEW snapshots AS
SELECT s.run, s.target, i.image, f.name, f.status, f.public, f.protected, f.created_at, f.updated_at, f.size,
    f.disk_format, f.min_disk, f.min_ram, f.properties, f.owned, f.visibility, f.owner, f.os_hidden, f.tags,
    f.unreadable, d.verdict, d.policy, d.reason, d.detail, d.due, s.finished_at AS seen_at
FROM surveys s
JOIN images i ON i.target = s.target
JOIN image_facts f ON f.image_key = i.image_key
    AND f.from_run <= s.run AND (f.until_run IS NULL OR f.until_run > s.run)
LEFT JOIN decisions d ON d.image_key = i.image_key AND s.decisions > 0
    AND d.from_run <= s.run AND (d.until_run IS NULL OR d.until_run > s.run)
WHERE s.finished_at IS NOT NULL;

-- The latest snapshot of each target.
CREATE VIEW current_images AS
SELECT snapshots.*, i.first_seen, i.watched_since, i.status_since
FROM (SELECT target, max(run) AS run FROM surveys WHERE finished_at IS NOT NULL GROUP BY target) AS latest
JOIN snapshots ON snapshots.run = latest.run AND snapshots.target = latest.target
JOIN images i ON i.target = snapshots.target AND i.image = snapshots.image;
"""

VOLUMES = """
-- NULL where volumes were never read.
ALTER TABLE surveys ADD COLUMN volumes INTEGER;
"""

REMARKING = """
-- What was to be said of policy files, as a JSON list of sentences; NULL where there was nothing.
ALTER TABLE runs ADD COLUMN remarks TEXT;
"""
