"""When Python looks for cycles of objects, in processes that run for long.

By default it does so whenever 700 more objects have been made than freed, as each workflow task and each answer do for
a moment: a twentieth of the worker's CPU went into looking at objects that their reference counts free anyway. So it
looks more rarely, and never again at what was there when the process began, which is code for the most part.
"""

import gc

YOUNG = 10_000
"""New objects after which the new ones are looked at: a few MiB at most that a cycle may hold until then."""


def collect_rarely() -> None:
    """Call once, when everything is imported."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
