"""Invoices, their items, lines and payments."""

from payloom.sandbox.stripe.protocol.shapes.kind import Expandable, Fields, Usual

FIELDS: Fields = {
    "invoice": """
        account_country account_name account_tax_ids amount_due amount_overpaid amount_paid
        amount_paid_off_stripe amount_remaining amount_shipping application attempt_count attempted
        auto_advance automatic_tax automatically_finalizes_at billing_reason collection_method
        confirmation_secret created currency custom_fields customer customer_account
        customer_address customer_email customer_name customer_phone customer_shipping
        customer_tax_exempt customer_tax_ids default_payment_method default_source
        default_tax_rates description discounts due_date effective_at ending_balance footer
        from_invoice hosted_invoice_url invoice_pdf issuer last_finalization_error latest_revision
        lines livemode metadata next_payment_attempt number on_behalf_of parent payment_settings
        payments period_end period_start post_payment_credit_notes_amount
        pre_payment_credit_notes_amount receipt_number rendering shipping_cost shipping_details
        starting_balance statement_descriptor status status_details status_transitions subtotal
        subtotal_excluding_tax test_clock threshold_reason total total_discount_amounts
        total_excluding_tax total_pretax_credit_amounts total_taxes webhooks_delivered_at""",
    "invoiceitem": """
        amount currency customer customer_account date description discountable discounts
        frozen_fields invoice invoicing_rules livemode metadata net_amount parent period pricing
        proration proration_details quantity quantity_decimal tax_rates test_clock""",
    "line_item": """
        amount currency description discount_amounts discountable discounts invoice livemode
        metadata parent period pretax_credit_amounts pricing quantity quantity_decimal subscription
        subtotal taxes""",
    "invoice_payment": """
        amount_paid amount_requested created currency invoice is_default livemode payment status
        status_transitions""",
}
USUAL: Usual = {
    "invoice": {
        "account_country": "US",
        "account_name": "Sandbox shop",
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_paid_off_stripe": 0,
        "amount_shipping": 0,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": False,
        "automatic_tax": {
            "disabled_reason": None,
            "enabled": False,
            "liability": None,
            "provider": None,
            "status": None,
        },
        "billing_reason": "manual",
        "collection_method": "charge_automatically",
        "customer_tax_exempt": "none",
        "customer_tax_ids": [],
        "default_tax_rates": [],
        "discounts": [],
        "issuer": {"account": None, "type": "self"},
        "metadata": {},
        "payment_settings": {
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": None,
        },
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "starting_balance": 0,
        "status": "draft",
        "status_transitions": dict.fromkeys(
            ("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")
        ),
        "total_discount_amounts": [],
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
    },
    "invoiceitem": {
        "discountable": True,
        "discounts": [],
        "metadata": {},
        "proration": False,
        "tax_rates": [],
    },
    "line_item": {
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "pretax_credit_amounts": [],
        "taxes": [],
    },
    "invoice_payment": {"is_default": True},
}
EXPANDABLE: Expandable = {
    "invoice": {
        "account_tax_ids": None,
        "application": None,
        "confirmation_secret": "invoice",
        "customer": "customer",
        "default_payment_method": "payment_method",
        "default_source": None,
        "discounts": None,
        "latest_revision": None,
        "on_behalf_of": None,
        "payments": "invoice_payment",
        "test_clock": None,
    },
    "invoiceitem": {
        "customer": "customer",
        "discounts": None,
        "invoice": "invoice",
        "test_clock": None,
    },
    "line_item": {"discounts": None, "subscription": None},
    "invoice_payment": {
        "invoice": "invoice",
        "payment.charge": "charge",
        "payment.payment_intent": "payment_intent",
        "payment.payment_record": None,
    },
}
