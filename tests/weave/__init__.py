"""WEAVE: two flows on real PostgreSQL, through every order of their database statements."""
