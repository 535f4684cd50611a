"""What does a person do who has just been woken?

A page for each rule and each standing alert: what it means, whom it hurts, how to find out more,
how to mend it, and who can. Made from the same declarations as the alerts, and from parts that are
written by hand, so that the page in the repository, the page that the agent serves and what
`mailflow-agent explain` prints cannot disagree.
"""

from agent.exposition.runbooks.book import SECTIONS, Runbook, Shelf
from agent.exposition.runbooks.markdown import rendered

__all__ = ["SECTIONS", "Runbook", "Shelf", "rendered"]
