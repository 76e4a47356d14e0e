"""The link plan and the payload: what an installer carries."""
