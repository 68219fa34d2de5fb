"""What is sold: products, prices, the line items of a session, currencies."""
