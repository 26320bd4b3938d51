"""The columns of answers, and of accepted deletions that are followed until their image is gone."""

STEP = """
-- answer: accepted, absent, refused or none; NULL where none was written down. answer_words: what came with it.
-- followed: it was told of as accepted, and the image was still there. confirmed_*: the run whose survey found such an
-- image gone, and what it told; the earlier outcomes stay what was reported.
ALTER TABLE deletions ADD COLUMN answer_words TEXT;
ALTER TABLE deletions ADD COLUMN followed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE deletions ADD COLUMN confirmed_in_run INTEGER REFERENCES runs;
ALTER TABLE deletions ADD COLUMN confirmed_outcome TEXT;
ALTER TABLE deletions ADD COLUMN confirmed_detail TEXT;
UPDATE deletions SET answer = 'none', answer_words = nullif(substr(answer, 12), '') WHERE answer LIKE 'no answer:%';
UPDATE deletions SET answer = 'refused', answer_words = nullif(substr(answer, 10), '') WHERE answer LIKE 'refused:%';
UPDATE deletions SET answer = 'none', answer_words = answer
    WHERE answer NOT IN ('accepted', 'absent', 'refused', 'none');
-- Of what was accepted before, only images that are still listed are followed: the others went long ago, untold.
UPDATE deletions SET followed = 1
WHERE coalesce(settled_outcome, outcome) = 'accepted' AND (settled_in_run IS NOT NULL OR NOT unsettled) AND EXISTS (
    SELECT 1 FROM images i JOIN image_facts f ON f.image_key = i.image_key AND f.until_run IS NULL
    WHERE i.target = deletions.target AND i.image = deletions.image
);
CREATE INDEX followed_deletions ON deletions (target, deletion) WHERE followed;
CREATE INDEX confirmed_deletions ON deletions (confirmed_in_run) WHERE confirmed_in_run IS NOT NULL;

DROP VIEW deletions_by_day;
DROP VIEW deletion_log;

-- Every deletion with the image as it was, why, and the last word on what became of it.
CREATE VIEW deletion_log AS
SELECT x.requested_at, x.run, x.target, x.image, f.name, f.size, f.created_at, d.policy, d.reason, d.detail AS why,
    x.answer, x.answer_words,
    coalesce(x.confirmed_outcome, x.settled_outcome, x.outcome) AS outcome,
    coalesce(x.confirmed_detail, x.settled_detail, x.detail) AS detail,
    coalesce(x.confirmed_in_run, x.settled_in_run) AS settled_in_run
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
