"""What tables does the state have?

A change here needs a new version and a step that leads to it from the one before.
"""

SCHEMA_VERSION = 6
APPLICATION_ID = 0x4D464C41  # "MFLA", so that a file of somebody else is recognised

_TURNS = """
CREATE TABLE watched (id INTEGER PRIMARY KEY, identity TEXT NOT NULL UNIQUE);
CREATE TABLE turn (watched INTEGER NOT NULL, at REAL NOT NULL, mark INTEGER NOT NULL,
    since REAL NOT NULL, was INTEGER, PRIMARY KEY (watched, at)) WITHOUT ROWID;
CREATE TABLE watch (began REAL PRIMARY KEY, seen REAL NOT NULL) WITHOUT ROWID;
"""
_STREAKS = """
CREATE TABLE streak (identity TEXT NOT NULL, rule TEXT NOT NULL, runs INTEGER NOT NULL,
    since REAL NOT NULL, last REAL NOT NULL, PRIMARY KEY (identity, rule)) WITHOUT ROWID;
"""
SCHEMA = f"""{_TURNS}{_STREAKS}
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE message (nonce TEXT PRIMARY KEY, route TEXT NOT NULL, planned_at REAL NOT NULL,
    entry TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE settled (route TEXT PRIMARY KEY, sequence INTEGER NOT NULL, tally TEXT NOT NULL)
    WITHOUT ROWID;
CREATE TABLE budget (name TEXT PRIMARY KEY, level REAL NOT NULL, at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE history (key TEXT PRIMARY KEY, text TEXT NOT NULL, first_seen REAL NOT NULL,
    changed_at REAL, previous TEXT, gone_at REAL) WITHOUT ROWID;
CREATE TABLE reading (nonce TEXT PRIMARY KEY, head BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE drift (tenant TEXT PRIMARY KEY, export TEXT NOT NULL, changes TEXT NOT NULL,
    gone_at REAL) WITHOUT ROWID;
"""
_STEPS = {  # by the version they lead from
    1: "ALTER TABLE history ADD COLUMN gone_at REAL;",
    2: "CREATE TABLE reading (nonce TEXT PRIMARY KEY, head BLOB NOT NULL) WITHOUT ROWID;",
    3: (
        "CREATE TABLE drift (tenant TEXT PRIMARY KEY, export TEXT NOT NULL, changes TEXT NOT NULL,"
        " gone_at REAL) WITHOUT ROWID;"
    ),
    4: _TURNS,
    5: _STREAKS,
}


def script(version: int) -> str:
    """Return the SQL that leads from *version*, 0 for an empty file, to ours: all of it or none."""
    steps = SCHEMA if version == 0 else " ".join(_STEPS[n] for n in range(version, SCHEMA_VERSION))
    return (
        f"BEGIN; PRAGMA application_id={APPLICATION_ID};"
        f"PRAGMA user_version={SCHEMA_VERSION}; {steps} COMMIT;"
    )
