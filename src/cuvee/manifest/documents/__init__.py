"""YAML files that people write: read with positions, and validated against a schema."""
