"""The methods of the store, by subject: each is one transaction."""

from janitor.store.database import DatabaseFile


class OnFile:
    """Transactions on one open database. Every method raises StoreError where the file cannot be read or written."""

    def __init__(self, file: DatabaseFile) -> None:
        self._file = file
