"""Run the command line by ``python -m agent``."""

from agent.cli.main import main

main()
