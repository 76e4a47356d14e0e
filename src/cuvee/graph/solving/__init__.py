"""Solving in the house: records as a pool, lazily encoded as clauses, answered by a SAT solver."""
