"""What runs under the installed release's own Python, not under stage 0."""
