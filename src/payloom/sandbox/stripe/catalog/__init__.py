"""What is sold: currencies, prices, line items."""
