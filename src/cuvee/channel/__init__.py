"""Channels: reading them, inspecting archives, and making packages from wheels and interpreters."""
