"""`make bench`: the real processes, driven over HTTP, measured by the operating system's accounts.

Start reading in run.py. Whatever is driven runs as in production: an embedded PostgreSQL that
keeps what it acknowledged, `payloom serve`, `payloom worker`, `payloom sandbox`. The load and the
shop's webhook endpoint are processes of their own, so that their CPU is not taken for ours.
"""
