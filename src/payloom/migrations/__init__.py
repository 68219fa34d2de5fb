"""Numbered SQL files, applied in order and never changed afterwards; `core.migrate` runs them."""
