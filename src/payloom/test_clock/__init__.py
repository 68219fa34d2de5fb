"""Business time, moved forward by who tests: days pass at once, here and at the stand-in PSPs."""
