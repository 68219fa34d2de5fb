"""Checkout sessions, from creation to completion or expiry."""
