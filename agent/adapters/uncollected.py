"""When is it no use to look for garbage?

While modules are imported and a configuration is read: nearly all that is made then stays, and the
collector would go through it again and again. Likewise while a command looks at domains, all
of whose results it shows.
"""

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Look for no garbage meanwhile; afterwards it is as before, also where one is in another."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
