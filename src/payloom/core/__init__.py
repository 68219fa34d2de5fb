"""Ground that every feature stands on; no word here knows what a payment is."""
