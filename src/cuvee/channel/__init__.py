"""Channels: reading them, and making packages from wheels and interpreters."""
