"""What ends the demo early.

::

    DemoError        its message stands alone; the demo prints it and exits with 1
    └── Untrue       a statement was checked and does not hold
"""


class DemoError(Exception):
    """The demo cannot go on."""


class Untrue(DemoError):
    """Something that the demo states is not so."""
