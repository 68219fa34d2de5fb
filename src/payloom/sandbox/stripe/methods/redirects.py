"""Methods that lead the shopper elsewhere: to a wallet, a bank, a lender, or a code to scan.

Sources: docs.stripe.com/payments/payment-methods/payment-method-support for currencies and kinds,
the SDK's classes for what each keeps and says, and for which can be captured later. A new account
at Stripe has some of them on and others off: so it is here, and whoever names one that is off in
`allowed_payment_method_types` gets it all the same.
"""

import secrets
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

ANY: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Redirect:
    type: str
    title: str
    kind: str  # wallet, bank, later (pay later), or code (a QR code)
    currencies: frozenset[str]  # none: any that cards take
    is_on: bool  # offered also where nobody names it
    captures_later: bool
    life_s: int | None  # how long the shopper has to approve; None: as long as the page


# type, kind, does it capture later, is it on, seconds to approve, currencies, title
_TABLE = """
link              wallet later off -     any                                                 Link
amazon_pay        wallet later off -     aud,chf,dkk,eur,gbp,hkd,jpy,nok,nzd,sek,usd,zar     Amazon Pay
cashapp           wallet later on  -     usd                                                 Cash App Pay
paypal            wallet later off -     aud,cad,chf,czk,dkk,eur,gbp,hkd,nok,nzd,pln,sek,sgd,usd PayPal
revolut_pay       wallet later off -     eur,gbp,huf,pln,ron                                 Revolut Pay
alipay            wallet now   off -     aud,cad,cny,eur,gbp,hkd,jpy,myr,nzd,sgd,usd         Alipay
wechat_pay        code   now   off 7200  aud,cad,chf,cny,dkk,eur,gbp,hkd,jpy,nok,sek,sgd,usd WeChat Pay
grabpay           wallet now   on  -     myr,sgd                                             GrabPay
kakao_pay         wallet later on  -     krw                                                 Kakao Pay
naver_pay         wallet later on  -     krw                                                 Naver Pay
payco             wallet later off -     krw                                                 PAYCO
samsung_pay       wallet later off -     krw                                                 Samsung Pay
mobilepay         wallet later off -     dkk,eur,nok,sek                                     MobilePay
swish             wallet now   on  -     sek                                                 Swish
satispay          wallet later off -     eur                                                 Satispay
mb_way            wallet now   off -     eur                                                 MB WAY
bizum             wallet now   off -     eur                                                 Bizum
paypay            wallet now   off -     jpy                                                 PayPay
ideal             bank   now   on  -     eur                                                 iDEAL
bancontact        bank   now   on  -     eur                                                 Bancontact
eps               bank   now   off -     eur                                                 EPS
p24               bank   now   off -     eur,pln                                             Przelewy24
blik              bank   now   on  -     pln                                                 BLIK
twint             bank   now   on  -     chf                                                 TWINT
fpx               bank   now   on  -     myr                                                 FPX
pay_by_bank       bank   now   off -     eur,gbp                                             Pay by Bank
klarna            later  later on  -     aud,cad,chf,czk,dkk,eur,gbp,nok,nzd,pln,ron,sek,usd Klarna
affirm            later  later off -     cad,usd                                             Affirm
afterpay_clearpay later  later off -     aud,cad,gbp,nzd,usd                                 Afterpay / Clearpay
alma              later  later off -     eur                                                 Alma
billie            later  later off -     eur,gbp                                             Billie
scalapay          later  later off -     eur                                                 Scalapay
sequra            later  later off -     eur                                                 seQura
sunbit            later  later off -     usd                                                 Sunbit
zip               later  now   off -     aud                                                 Zip
upi               code   now   on  300   inr                                                 UPI
pix               code   now   on  86400 brl                                                 Pix
paynow            code   now   on  3600  sgd                                                 PayNow
promptpay         code   now   on  3600  thb                                                 PromptPay
"""  # noqa: E501 a table


def _read_table() -> dict[str, Redirect]:
    methods = {}
    for line in _TABLE.strip().splitlines():
        type_, kind, capture, state, life, currencies, title = line.split(maxsplit=6)
        methods[type_] = Redirect(
            type=type_,
            title=title,
            kind=kind,
            currencies=ANY if currencies == "any" else frozenset(currencies.split(",")),
            is_on=state == "on",
            captures_later=capture == "later",
            life_s=None if life == "-" else int(life),
        )
    return methods


REDIRECTS = _read_table()

# what a call may say of one that is made
PARAMETERS: dict[str, tuple[str, ...]] = {
    "eps": ("bank",),
    "fpx": ("account_holder_type", "bank"),
    "ideal": ("bank",),
    "klarna": ("dob",),
    "naver_pay": ("funding",),
    "p24": ("bank",),
    "upi": ("mandate_options",),
}

# what a payment method keeps
_KEPT: dict[str, Json] = {
    "bizum": {"buyer_id": None},
    "blik": {"buyer_id": None},
    "cashapp": {"buyer_id": None, "cashtag": None},
    "eps": {"bank": None},
    "fpx": {"account_holder_type": None, "bank": "maybank2u"},
    "ideal": {"bank": None, "bic": None},
    "klarna": {"dob": None},
    "link": {"email": None, "persistent_token": None},
    "naver_pay": {"buyer_id": None, "funding": "card"},
    "p24": {"bank": None},
    "paypal": {"country": None, "payer_email": None, "payer_id": None},
    "pix": {"fingerprint": None},
    "upi": {"vpa": None},
}
_CARD = {"brand": "visa", "country": "US", "exp_month": 12, "exp_year": 2040, "last4": "4242"}
_FUNDING = {"card": {**_CARD, "funding": "credit"}, "type": "card"}
_AT_A_READER = {"location": None, "reader": None}
_DEBIT_AFTERWARDS = {"generated_sepa_debit": None, "generated_sepa_debit_mandate": None}

# what a charge says; `new` stands for an id that the other side gives
_CHARGED: dict[str, Json] = {
    "affirm": {**_AT_A_READER, "transaction_id": "new"},
    "afterpay_clearpay": {"order_id": "new", "reference": None},
    "alipay": {"buyer_id": "2088000000000000", "fingerprint": None, "transaction_id": "new"},
    "alma": {"installments": {"count": 3}, "transaction_id": "new"},
    "amazon_pay": {"funding": _FUNDING, "transaction_id": "new"},
    "bancontact": {
        "bank_code": "VAPE",
        "bank_name": "VAN DE PUT & CO",
        "bic": "VAPEBE22",
        **_DEBIT_AFTERWARDS,
        "iban_last4": "7061",
        "preferred_language": "en",
        "verified_name": "Jenny Rosen",
    },
    "billie": {"transaction_id": "new"},
    "bizum": {"buyer_id": None, "transaction_id": "new"},
    "blik": {"buyer_id": None},
    "cashapp": {"buyer_id": "new", "cashtag": "$jenny", "transaction_id": "new"},
    "eps": {"bank": "bank_austria", "verified_name": "Jenny Rosen"},
    "fpx": {"account_holder_type": "individual", "bank": None, "transaction_id": "new"},
    "grabpay": {"transaction_id": "new"},
    "ideal": {
        "bank": "rabobank",
        "bic": "RABONL2U",
        **_DEBIT_AFTERWARDS,
        "iban_last4": "5264",
        "transaction_id": "new",
        "verified_name": "Jenny Rosen",
    },
    "kakao_pay": {"buyer_id": None, "transaction_id": "new"},
    "klarna": {
        **_AT_A_READER,
        "payer_details": {"address": {"country": None}},
        "payment_method_category": "pay_later",
        "preferred_locale": "en-US",
    },
    "link": {"country": "US", "funding_source_group": None},
    "mobilepay": {"card": _CARD},
    "naver_pay": {"buyer_id": None, "transaction_id": "new"},
    "p24": {"bank": "ing", "reference": "new", "verified_name": "Jenny Rosen"},
    "payco": {"buyer_id": None, "transaction_id": "new"},
    "paynow": {**_AT_A_READER, "reference": "new"},
    "paypal": {
        "country": "US",
        "payer_email": None,
        "payer_id": "new",
        "payer_name": "Jenny Rosen",
        "seller_protection": {"dispute_categories": None, "status": "not_eligible"},
        "transaction_id": "new",
    },
    "pix": {"bank_transaction_id": "new", "fingerprint": None, "mandate": None},
    "promptpay": {"reference": "new"},
    "revolut_pay": {"funding": _FUNDING, "transaction_id": "new"},
    "samsung_pay": {"buyer_id": None, "transaction_id": "new"},
    "satispay": {"transaction_id": "new"},
    "scalapay": {"transaction_id": "new"},
    "sequra": {"transaction_id": "new"},
    "sunbit": {"transaction_id": "new"},
    "swish": {"fingerprint": None, "payment_reference": "new", "verified_phone_last4": "0000"},
    "twint": {"mandate": None},
    "upi": {"vpa": None},
    "wechat_pay": {"fingerprint": None, **_AT_A_READER, "transaction_id": "new"},
}


def kept(type_: str, given: Json, email: str | None) -> Json:
    """What a payment method keeps of what was said, and of whom it is."""
    blank = _KEPT.get(type_, {})
    said: Json = {name: given[name] for name in blank if given.get(name) is not None}
    of_whom: Json = {name: email for name in ("email", "payer_email") if name in blank}
    return {**blank, **of_whom, **said}


def charged(method: Json) -> Json:
    """What a charge says, once the shopper has approved."""
    said = method[method["type"]]
    shown = {}
    for name, usual in _CHARGED.get(method["type"], {}).items():
        value = secrets.token_hex(8) if usual == "new" else usual
        shown[name] = value if said.get(name) is None else said[name]
    return shown


def shows_code(method: Json) -> bool:
    """Whether the shopper scans a code; who gave a UPI ID is asked by the app instead."""
    row = REDIRECTS.get(method["type"])
    return row is not None and row.kind == "code" and not method[method["type"]].get("vpa")
