"""Pictures of a release: what needs what, what weighs how much, and in which order it could be built."""
