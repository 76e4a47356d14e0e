"""Solving, the lock, and its exports."""
