"""Who has approved a release: keys of people, signed statements, and whether a policy's quorum is reached."""
