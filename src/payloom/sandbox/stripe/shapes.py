"""The fields of each object, as the SDK of the pinned API version declares them.

The store keeps only what differs from the blank object. What Stripe leaves out unless asked for
(a session's line items, an endpoint's secret) is shown as null.
"""

from typing import Any

Json = dict[str, Any]

_FIELDS = {
    "checkout.session": """
        adaptive_pricing after_expiration allow_promotion_codes allowed_payment_method_types
        amount_subtotal amount_total automatic_tax billing_address_collection branding_settings
        cancel_url client_reference_id client_secret collected_information consent
        consent_collection created currency currency_conversion custom_fields custom_text customer
        customer_account customer_creation customer_details customer_email discounts
        excluded_payment_method_types expires_at integration_identifier invoice invoice_creation
        line_items livemode locale managed_payments metadata mode name_collection optional_items
        origin_context payment_intent payment_link payment_method_collection
        payment_method_configuration_details payment_method_options payment_method_types
        payment_status permissions phone_number_collection presentment_details recovered_from
        redirect_on_completion return_url saved_payment_method_options setup_intent
        shipping_address_collection shipping_cost shipping_options status submit_type subscription
        success_url tax_id_collection total_details ui_mode url wallet_options""",
    "payment_intent": """
        allowed_payment_method_types amount amount_capturable amount_details amount_received
        application application_fee_amount automatic_payment_methods canceled_at
        cancellation_reason capture_method client_secret confirmation_method created currency
        customer customer_account description excluded_payment_method_types hooks
        last_payment_error latest_charge livemode managed_payments metadata next_action
        on_behalf_of payment_details payment_method payment_method_configuration_details
        payment_method_options payment_method_types payment_record presentment_details processing
        receipt_email review setup_future_usage shipping source statement_descriptor
        statement_descriptor_suffix status transfer_data transfer_group""",
    "charge": """
        amount amount_captured amount_refunded application application_fee application_fee_amount
        authorization_code balance_transaction billing_details calculated_statement_descriptor
        captured created currency customer description disputed failure_balance_transaction
        failure_code failure_message fraud_details level3 livemode metadata on_behalf_of outcome
        paid payment_intent payment_method payment_method_details presentment_details
        radar_options receipt_email receipt_number receipt_url refunded refunds review shipping
        source source_transfer statement_descriptor statement_descriptor_suffix status transfer
        transfer_data transfer_group""",
    "refund": """
        amount balance_transaction charge created currency customer customer_account description
        destination_details failure_balance_transaction failure_reason instructions_email metadata
        next_action payment_intent payment_method pending_reason presentment_details reason
        receipt_number source_transfer_reversal status transfer_reversal""",
    "balance_transaction": """
        amount available_on balance_type created currency description exchange_rate fee fee_details
        net reporting_category source status type""",
    "payment_method": """
        allow_redisplay billing_details created customer customer_account livemode metadata
        radar_options type acss_debit affirm afterpay_clearpay alipay alma amazon_pay au_becs_debit
        bacs_debit bancontact billie bizum blik boleto card card_present cashapp crypto custom
        customer_balance eps fpx giropay grabpay ideal interac_present kakao_pay klarna konbini
        kr_card link mb_way mobilepay multibanco naver_pay nz_bank_account oxxo p24 pay_by_bank
        payco paynow paypal paypay payto pix promptpay revolut_pay samsung_pay satispay scalapay
        sepa_debit sequra sofort sunbit swish twint upi us_bank_account wechat_pay zip""",
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
    "event": """
        account api_version context created data livemode pending_webhooks request type""",
    "webhook_endpoint": """
        api_version application created description enabled_events livemode metadata secret status
        url""",
}
_AUTOMATIC_TAX = {"enabled": False, "liability": None, "provider": None, "status": None}
_INVOICE_DATA: Json = {
    "account_tax_ids": None,
    "custom_fields": None,
    "description": None,
    "footer": None,
    "issuer": None,
    "metadata": {},
    "rendering_options": None,
}
_CUSTOM_TEXT = ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")

_CARD_OPTIONS = """
    capture_method installments request_extended_authorization request_incremental_authorization
    request_multicapture request_overcapture request_three_d_secure setup_future_usage
    statement_descriptor_suffix_kana statement_descriptor_suffix_kanji""".split()
_AMOUNT_DETAILS = ("discount_amount", "error", "line_items", "shipping", "tax")


def session_card_options(three_d_secure: str | None = None) -> Json:
    options: Json = dict.fromkeys([*_CARD_OPTIONS, "restrictions"])
    return {"card": options | {"request_three_d_secure": three_d_secure or "automatic"}}


def intent_card_options(three_d_secure: str = "automatic") -> Json:
    more = "mandate_options network require_cvc_recollection setup_credential_usage"
    options: Json = dict.fromkeys([*_CARD_OPTIONS, *more.split(), "stored_credential_usage"])
    return {"card": options | {"request_three_d_secure": three_d_secure}}


_USUAL: dict[str, Json] = {
    "checkout.session": {
        "adaptive_pricing": {"enabled": False},
        "automatic_tax": _AUTOMATIC_TAX,
        "custom_fields": [],
        "custom_text": dict.fromkeys(_CUSTOM_TEXT),
        "customer_creation": "if_required",
        "discounts": [],
        "invoice_creation": {"enabled": False, "invoice_data": _INVOICE_DATA},
        "managed_payments": {"enabled": False},
        "payment_method_collection": "if_required",
        "payment_method_options": session_card_options(),
        "payment_method_types": ["card"],
        "phone_number_collection": {"enabled": False},
        "shipping_options": [],
    },
    "payment_intent": {
        "amount_capturable": 0,
        "amount_details": {**dict.fromkeys(_AMOUNT_DETAILS), "tip": {"amount": None}},
        "amount_received": 0,
        "automatic_payment_methods": None,
        "capture_method": "automatic_async",
        "confirmation_method": "automatic",
        "payment_method_options": intent_card_options(),
        "payment_method_types": ["card"],
    },
    "charge": {
        "amount_captured": 0,
        "amount_refunded": 0,
        "captured": False,
        "disputed": False,
        "fraud_details": {"stripe_report": None, "user_report": None},
        "paid": False,
        "radar_options": {"session": None},
        "refunded": False,
    },
    "balance_transaction": {"balance_type": "payments"},
    "payment_method": {
        "allow_redisplay": "unspecified",
        "metadata": {},
        "radar_options": {"session": None},
    },
    "item": {"amount_discount": 0, "amount_tax": 0, "discounts": [], "taxes": []},
    "price": {
        "active": False,
        "billing_scheme": "per_unit",
        "metadata": {},
        "tax_behavior": "unspecified",
        "type": "one_time",
    },
    "product": {"active": False, "images": [], "marketing_features": [], "type": "service"},
    "webhook_endpoint": {"metadata": {}, "status": "enabled"},
}
# what the store keeps besides, and no client sees
_PRIVATE = ("_account", "_delayed", "_intent", "_items", "_pending", "_secret", "_shopper")

_BLANK = {
    kind: {"id": None, "object": kind, **dict.fromkeys(names.split()), **_USUAL.get(kind, {})}
    for kind, names in _FIELDS.items()
}


def render(kind: str, kept: Json) -> Json:
    """The whole object from what the store keeps of it."""
    whole = {**_BLANK[kind], **kept}
    for name in _PRIVATE:
        whole.pop(name, None)
    return whole


def public(kept: Json) -> Json:
    """What an event freezes: all but the private fields."""
    return {name: value for name, value in kept.items() if not name.startswith("_")}
