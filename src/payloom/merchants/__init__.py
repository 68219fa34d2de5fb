"""Who uses us: merchants, their API keys, their sealed secrets, and their connections to PSPs.

A merchant is one business in one mode. `auth` says who sends a request, `vault` keeps what must be
read back, `connections` turns a merchant's credentials into a connector.
"""
