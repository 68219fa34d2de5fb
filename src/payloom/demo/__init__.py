"""The demo: one command that runs a whole payloom, its PSP sandbox and a shop.

`run.py` tells the story; `supervisor.py` keeps the processes alive, `setup.py` makes what they
need, `once.py` is a shopper without a browser.
"""


class DemoError(Exception):
    """The demo cannot go on; the message says why, and what to do."""
