"""The payment backend behind a shop's checkout: one API over many PSPs."""

__version__ = "0.1.0"
