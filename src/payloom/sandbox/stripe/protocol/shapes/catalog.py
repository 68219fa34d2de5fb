"""What is sold: products, prices, and the items of a session."""

from payloom.sandbox.stripe.protocol.shapes.kind import Expandable, Fields, Usual

FIELDS: Fields = {
    "item": """
        adjustable_quantity amount_discount amount_subtotal amount_tax amount_total currency
        description discounts metadata price quantity taxes""",
    "price": """
        active billing_scheme created currency currency_options custom_unit_amount livemode
        lookup_key metadata nickname product recurring tax_behavior tiers tiers_mode
        transform_quantity type unit_amount unit_amount_decimal""",
    "product": """
        active created default_price description images livemode marketing_features metadata name
        package_dimensions shippable statement_descriptor tax_code tax_details type unit_label
        updated url""",
}
USUAL: Usual = {
    "item": {"amount_discount": 0, "amount_tax": 0, "discounts": [], "taxes": []},
    "price": {
        "active": False,
        "billing_scheme": "per_unit",
        "metadata": {},
        "tax_behavior": "unspecified",
        "type": "one_time",
    },
    "product": {
        "active": False,
        "images": [],
        "marketing_features": [],
        "metadata": {},
        "type": "service",
    },
}
EXPANDABLE: Expandable = {
    "item": {},
    "price": {"product": "product", "currency_options": None, "tiers": None},
    "product": {"default_price": "price", "tax_code": None},
}
