-- One row per run of a release's tests. The same run is recorded once.
CREATE TABLE run (
    id           INTEGER PRIMARY KEY,
    fingerprint  TEXT NOT NULL UNIQUE,      -- SHA-256 of all that the run found, without its time
    distribution TEXT NOT NULL,
    version      TEXT NOT NULL,             -- 2026.11.0
    year         INTEGER NOT NULL,          -- the parts of the version, to sort by
    month        INTEGER NOT NULL,
    patch        INTEGER NOT NULL,
    base         TEXT NOT NULL,             -- the release that it is based on, such as starter-2026.10.2; or empty
    made_at      TEXT NOT NULL,             -- ISO 8601, UTC
    verdict      TEXT NOT NULL,
    released     INTEGER NOT NULL,          -- 1 if the verdict did not block it, or it was signed all the same
    failure      TEXT NOT NULL,             -- why the run ended before its end; or empty
    inputs       TEXT NOT NULL              -- SHA-256 of all that the release was made from
);
CREATE INDEX run_by_release ON run (distribution, year, month, patch, made_at);

CREATE TABLE platform_run (
    id       INTEGER PRIMARY KEY,
    run      INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
    platform TEXT NOT NULL,
    runner   TEXT,                          -- what ran the tests; NULL if nothing did
    not_run  TEXT,                          -- why nothing did
    machine  TEXT NOT NULL,                 -- JSON object: the host, the installer and its SHA-256, ...
    UNIQUE (run, platform)
);

CREATE TABLE test (
    id    INTEGER PRIMARY KEY,
    suite TEXT NOT NULL,
    name  TEXT NOT NULL,
    UNIQUE (suite, name)
);
CREATE INDEX test_by_name ON test (name);

CREATE TABLE outcome (
    platform_run INTEGER NOT NULL REFERENCES platform_run ON DELETE CASCADE,
    test         INTEGER NOT NULL REFERENCES test,
    state        TEXT NOT NULL,
    seconds      REAL NOT NULL,
    package      TEXT,                      -- the package that the test is about
    packages     TEXT NOT NULL,             -- JSON array: all packages involved, where they are known
    reason       TEXT NOT NULL,
    log          TEXT,
    PRIMARY KEY (platform_run, test)
) WITHOUT ROWID;
CREATE INDEX outcome_by_test ON outcome (test);

CREATE TABLE package (
    run      INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
    platform TEXT NOT NULL,
    name     TEXT NOT NULL,
    version  TEXT NOT NULL,
    build    TEXT NOT NULL,
    sha256   TEXT NOT NULL,
    PRIMARY KEY (run, platform, name)
) WITHOUT ROWID;
CREATE INDEX package_by_name ON package (name);

CREATE TABLE artefact (
    run    INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
    path   TEXT NOT NULL,                   -- in the release folder
    sha256 TEXT NOT NULL,
    PRIMARY KEY (run, path)
) WITHOUT ROWID;

CREATE TABLE finding (
    id        INTEGER PRIMARY KEY,
    run       INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
    check_id  TEXT NOT NULL,
    verdict   TEXT NOT NULL,
    cause     TEXT NOT NULL,
    packages  TEXT NOT NULL,                -- JSON array of names
    platforms TEXT NOT NULL                 -- JSON array
);
CREATE INDEX finding_by_run ON finding (run);
