"""What do tests of several folders share?"""

from hypothesis import settings

# Compares the rules that the tests have shown with those that the probes declare.
from proof import (  # noqa: F401 - pytest finds hooks by their names here
    pytest_sessionfinish,
    pytest_terminal_summary,
    pytest_testnodedown,
)

# How long an example takes is a matter of who else uses the machine; a test has its own time limit.
settings.register_profile("mailflow", deadline=None)
settings.load_profile("mailflow")
