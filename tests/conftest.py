"""What do tests of several folders share?"""

import signal

from hypothesis import settings

# Compares the rules that the tests have shown with those that the probes declare.
from proof import (  # noqa: F401 - pytest finds hooks by their names here
    pytest_addoption,
    pytest_configure,
    pytest_sessionfinish,
    pytest_terminal_summary,
    pytest_testnodedown,
)

# How long an example takes is a matter of who else uses the machine; a test has its own time limit.
settings.register_profile("mailflow", deadline=None)
settings.load_profile("mailflow")

# A shell's job in the background ignores the key that interrupts, and so would all that it starts.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
