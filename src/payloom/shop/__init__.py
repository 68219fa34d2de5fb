"""Wrenfold, the demo shop: three products, a cart, and a checkout paid through payloom.

A merchant like any other: it knows the public HTTP API and the signed webhooks, and imports
nothing of payloom but the currency table. Start reading at app.py, then checkout.py.
"""

from payloom.shop.server import serve
from payloom.shop.settings import InvalidSettings, Settings

__all__ = ["InvalidSettings", "Settings", "serve"]
