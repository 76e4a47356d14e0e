"""Errata: advisories about releases, checked against their locks, as pages, feeds and data."""
