"""Customers."""

from payloom.sandbox.stripe.protocol.shapes.kind import Expandable, Fields, Usual

FIELDS: Fields = {
    "customer": """
        address balance business_name cash_balance created currency customer_account default_source
        delinquent description discount email individual_name invoice_credit_balance invoice_prefix
        invoice_settings livemode metadata name next_invoice_sequence phone preferred_locales
        shipping sources subscriptions tax tax_exempt tax_ids test_clock""",
}
_INVOICE_SETTINGS = ("custom_fields", "default_payment_method", "footer", "rendering_options")
USUAL: Usual = {
    "customer": {
        "balance": 0,
        "delinquent": False,
        "invoice_settings": dict.fromkeys(_INVOICE_SETTINGS),
        "metadata": {},
        "next_invoice_sequence": 1,
        "preferred_locales": [],
        "tax_exempt": "none",
    },
}
EXPANDABLE: Expandable = {
    "customer": {
        "invoice_settings.default_payment_method": "payment_method",
        "cash_balance": None,
        "default_source": None,
        "invoice_credit_balance": None,
        "sources": "source",
        "subscriptions": "subscription",
        "tax": None,
        "tax_ids": "tax_id",
        "test_clock": None,
    },
}
