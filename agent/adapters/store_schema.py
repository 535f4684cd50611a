"""What tables does the state have?

A change here needs a new version and a step that leads to it from the one before.
"""

SCHEMA_VERSION = 1
APPLICATION_ID = 0x4D464C41  # "MFLA", so that a file of somebody else is recognised

SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE message (nonce TEXT PRIMARY KEY, route TEXT NOT NULL, planned_at REAL NOT NULL,
    entry TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE settled (route TEXT PRIMARY KEY, sequence INTEGER NOT NULL, tally TEXT NOT NULL)
    WITHOUT ROWID;
CREATE TABLE budget (name TEXT PRIMARY KEY, level REAL NOT NULL, at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE history (key TEXT PRIMARY KEY, text TEXT NOT NULL, first_seen REAL NOT NULL,
    changed_at REAL, previous TEXT) WITHOUT ROWID;
"""
