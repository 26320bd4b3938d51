"""What is to be deleted, what has changed since a person reviewed that, and the outcomes of requested deletions."""
