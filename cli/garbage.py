"""When Python looks for cycles of objects, in processes that run for long.

By default it does so whenever 700 more objects have been made than freed, as each workflow task and each answer do for
a moment, and a tenth of a tenth of the times it looks at all that there is. So it looks more rarely, and never again at
what was there when the process began, which is code for the most part. That is two or three parts in a hundred of the
worker's CPU.

All that there is must still be looked at often: a workflow that a worker no longer keeps is a cycle. With ten times
ten, as by default, a worker with 2,000 resources came to 283 MiB instead of 228.
"""

import gc

YOUNG = 10_000
"""New objects after which the new ones are looked at."""
OLDER = 4, 2
"""After how many such looks those that outlived one are looked at too, and after how many of these all."""


def collect_rarely() -> None:
    """Call once, when everything is imported."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, *OLDER)
