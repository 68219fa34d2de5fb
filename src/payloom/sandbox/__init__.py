"""Stand-in PSPs that real clients cannot tell apart, served from one process on loopback.

Start reading in `runtime.py` (what every part is handed) and `stripe/routes.py` (what the Stripe
stand-in answers). Each PSP is a folder; beside the folders sit what all of them share: the store,
the tenants and their clocks, the agenda of things that happen later, webhook deliveries, the faults
that can be ordered and the log of requests. Imports `payloom.core` at most.
"""

from payloom.sandbox.server import listen, serve

__all__ = ["listen", "serve"]
