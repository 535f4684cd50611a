"""mailflow-agent: finds broken mail flow before users do."""
