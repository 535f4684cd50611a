"""What does the whole file say, and what is wrong with it?"""

from agent.config.errors import ConfigError, Problem
from agent.config.load import Config, build, load
from agent.config.schema import schema

__all__ = ["Config", "ConfigError", "Problem", "build", "load", "schema"]
