"""The ledger over HTTP, for reading only: `ledger/` itself knows no callers and no routes."""
