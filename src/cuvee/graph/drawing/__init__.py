"""Pictures of a release: its dependencies, the sizes of its packages, and the order of building them."""
