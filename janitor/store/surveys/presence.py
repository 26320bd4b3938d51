"""Which images are there now, and the target's own among them: found without a look at all that were ever seen."""

from collections.abc import Container

from janitor.store.connection import Connection
from janitor.store.trust.bindings import counts_after

STEP = """
-- Whether the latest snapshot of its target holds the image: whether its facts in force are there.
ALTER TABLE images ADD COLUMN present INTEGER NOT NULL DEFAULT 1;
UPDATE images SET present = 0 WHERE image_key NOT IN (SELECT image_key FROM image_facts WHERE until_run IS NULL);
CREATE INDEX present_images ON images (target) WHERE present;
CREATE INDEX closed_facts ON image_facts (until_run) WHERE until_run IS NOT NULL;
-- By whoever writes: a run of an earlier version may be under way while this one migrates. New images have facts.
CREATE TRIGGER facts_opened AFTER INSERT ON image_facts \
WHEN new.until_run IS NULL AND (SELECT NOT present FROM images WHERE image_key = new.image_key) BEGIN \
UPDATE images SET present = 1 WHERE image_key = new.image_key; END;
CREATE TRIGGER facts_closed AFTER UPDATE OF until_run ON image_facts WHEN new.until_run IS NOT NULL BEGIN \
UPDATE images SET present = EXISTS ( \
SELECT 1 FROM image_facts f WHERE f.image_key = new.image_key AND f.until_run IS NULL \
) WHERE image_key = new.image_key; END;
"""


def known(db: Connection, target: str, besides: Container[str] = ()) -> list[str]:
    """The ids of the target's own images, in its latest snapshot or accepted survey, not known to be deleted by us.

    In both: a survey that was not accepted may have lacked some. Without those that are known `besides`.
    """
    parameters = {"target": target, "after": counts_after(db, target)}
    # Few are not known besides: to look up all deletions, or to sort all ids, would take longer than all the rest.
    rest = dict.fromkeys(image for (image,) in db.execute(_KNOWN_OWN, parameters) if image not in besides)
    return [image for image in rest if db.execute(_DELETED_BY_US, {**parameters, "image": image}).fetchone() is None]


def own_images(db: Connection, target: str, run: int) -> set[str]:
    """The ids of the target's own images in the survey of a run, as plausibility counts them."""
    return {row[0] for row in db.execute(_OWN_IMAGES, {"run": run, "target": target})}


_LISTED = "f.owned AND f.status NOT IN ('deleted', 'pending_delete')"
# CROSS JOIN: what few facts were closed since is looked up first. Without it SQLite begins with all images of a target.
_KNOWN_OWN = f"""
WITH accepted AS (SELECT max(run) AS run FROM surveys WHERE target = :target AND run > :after AND good)
SELECT i.image FROM images i JOIN image_facts f ON f.image_key = i.image_key AND f.until_run IS NULL
WHERE i.target = :target AND i.present AND f.from_run > :after AND {_LISTED}
UNION ALL
SELECT i.image FROM image_facts f CROSS JOIN images i ON i.image_key = f.image_key
WHERE f.until_run > (SELECT run FROM accepted) AND f.from_run <= (SELECT run FROM accepted)
    AND i.target = :target AND {_LISTED}
"""  # noqa: S608 - a condition of ours
_DELETED_BY_US = """
SELECT 1 FROM deletions WHERE target = :target AND image = :image AND run > :after
    AND coalesce(confirmed_outcome, settled_outcome, outcome) IN ('deleted', 'already-gone')
LIMIT 1
"""
OWN = "f.owned AND NOT f.public AND f.status NOT IN ('deleted', 'pending_delete')"
"""The same condition as `owns`, of the facts `f` of an image."""
_OWN_IMAGES = f"""
SELECT i.image FROM images i JOIN image_facts f ON f.image_key = i.image_key AND f.until_run IS NULL
WHERE i.target = :target AND i.present AND f.from_run <= :run AND {OWN}
UNION ALL
SELECT i.image FROM image_facts f CROSS JOIN images i ON i.image_key = f.image_key
WHERE f.until_run > :run AND f.from_run <= :run AND i.target = :target AND {OWN}
"""  # noqa: S608 - a condition of ours
