"""What runs under the whole Python of an installed release, not under stage 0."""
