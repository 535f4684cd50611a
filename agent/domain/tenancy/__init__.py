"""What does the configuration of a whole tenant, or of several, contain?"""
