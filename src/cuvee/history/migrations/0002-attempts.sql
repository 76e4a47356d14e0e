-- The times that a test ran in one run, if there were several.
CREATE TABLE attempt (
    platform_run INTEGER NOT NULL,
    test         INTEGER NOT NULL,
    number       INTEGER NOT NULL,          -- 1, 2, ... in the order of running
    state        TEXT NOT NULL,
    seconds      REAL NOT NULL,
    reason       TEXT NOT NULL,             -- the first line of a failure
    PRIMARY KEY (platform_run, test, number),
    FOREIGN KEY (platform_run, test) REFERENCES outcome ON DELETE CASCADE
) WITHOUT ROWID;
