"""Who may ask the agent what over HTTP, and how is it answered?"""
