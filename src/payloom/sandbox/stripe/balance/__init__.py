"""Money that moved: balance transactions and refunds."""
