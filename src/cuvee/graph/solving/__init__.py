"""Our own solver: a pool of records, encoded lazily as clauses of a SAT solver."""
