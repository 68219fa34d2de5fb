"""The hosted payment page: what the shopper sees at a checkout session's `url`."""
