"""The release graph, its checks and their findings."""
