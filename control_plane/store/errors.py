"""What can go wrong in the store.

StoreError
├── UnusableDatabaseUrl   the setting is wrong; a person must change it
├── DatabaseUnavailable   the database does not answer or is locked for too long; later may be better
└── ChangesForgotten      a reader of the change log was away for too long; read the full state
"""


class StoreError(Exception):
    """Base of all errors of the store."""


class UnusableDatabaseUrl(StoreError):
    """The database URL cannot be used."""


class DatabaseUnavailable(StoreError):
    """The database does not answer."""


class ChangesForgotten(StoreError):
    """The change log no longer reaches back to the revision asked for."""
