"""Payment methods."""

from payloom.sandbox.stripe.protocol.shapes.kind import Expandable, Fields, Usual

FIELDS: Fields = {
    "payment_method": """
        allow_redisplay billing_details created customer customer_account livemode metadata
        radar_options type acss_debit affirm afterpay_clearpay alipay alma amazon_pay au_becs_debit
        bacs_debit bancontact billie bizum blik boleto card card_present cashapp crypto custom
        customer_balance eps fpx giropay grabpay ideal interac_present kakao_pay klarna konbini
        kr_card link mb_way mobilepay multibanco naver_pay nz_bank_account oxxo p24 pay_by_bank
        payco paynow paypal paypay payto pix promptpay revolut_pay samsung_pay satispay scalapay
        sepa_debit sequra sofort sunbit swish twint upi us_bank_account wechat_pay zip""",
}
USUAL: Usual = {
    "payment_method": {
        "allow_redisplay": "unspecified",
        "metadata": {},
        "radar_options": {"session": None},
    },
}
EXPANDABLE: Expandable = {
    "payment_method": {"customer": "customer"},
}
