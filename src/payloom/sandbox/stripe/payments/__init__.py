"""Payment intents and charges: what paying does."""
