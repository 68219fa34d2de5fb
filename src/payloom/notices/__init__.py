"""What PSPs tell us, and the shopper's return: verified, stored raw, applied through `record`."""
