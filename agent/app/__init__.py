"""The composition root: whoever starts the agent knows :func:`serve`, and nothing below does."""

from agent.app.options import Overrides, StartError
from agent.app.root import Agent
from agent.app.serving import serve

__all__ = ["Agent", "Overrides", "StartError", "serve"]
