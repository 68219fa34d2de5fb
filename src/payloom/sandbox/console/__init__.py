"""The page at `/_sandbox`: where a person sees what an account did, breaks things and moves its
clock.

Forms and links alone, no script. The key is typed once: the browser keeps a token that stands for
the account, not the key.
"""

from payloom.sandbox.console.routes import routes

__all__ = ["routes"]
