"""From which entry of a list the facts of an image were read: of one that has not changed, they need no comparing."""

STEP = """
-- The digest of the entry of a list from which alone these facts were read, by the reader of that time; NULL where
-- there is none.
ALTER TABLE image_facts ADD COLUMN digest BLOB;
"""
