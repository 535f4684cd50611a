"""What do tests of several folders share?"""

# Compares the rules that the tests have shown with those that the probes declare.
from proof import (  # noqa: F401 - pytest finds hooks by their names here
    pytest_sessionfinish,
    pytest_terminal_summary,
    pytest_testnodedown,
)
