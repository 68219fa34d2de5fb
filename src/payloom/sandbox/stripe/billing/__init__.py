"""Invoices, their items, and how they are paid. Subscriptions are not played yet."""
