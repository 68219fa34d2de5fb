"""What is paid with: cards, bank accounts, vouchers, and which of them a page offers."""
