"""Where App Mesh objects live: one generic table of objects, keyed by kind, and what hangs on it.

The room's rules: functions take a connection and leave the transaction to the caller; every write transaction gets
one `revision` from a counter whose row it holds until it commits, so revisions become visible in order and two
writers never interleave; no SQL is written outside this room.

| module | what it does |
|---|---|
| `database.py` | engine, transactions, start-up |
| `schema.py` | the tables |
| `records.py`, `errors.py` | what goes in and out |
| `objects.py` | objects by key, pages of a collection |
| `references.py` | who refers to whom, for in-use checks |
| `tags.py`, `tokens.py` | tags and idempotency tokens of objects |
| `changes.py`, `readers.py` | the log of what each revision changed, and how far its readers have got |
| `migrations/` | the schema's history, applied at start |
"""
