"""The sandbox: what it answers, which test handles it has, and what can be made to fail."""

from payloom.sandbox.faults import HOOK_EFFECTS, REQUEST_EFFECTS
from payloom.sandbox.stripe.balance import fees
from payloom.sandbox.stripe.balance.payout_accounts import ACCOUNTS as PAYOUT_ACCOUNTS
from payloom.sandbox.stripe.balance.payout_accounts import FAILURES, ROUTING_NUMBER
from payloom.sandbox.stripe.balance.repay import FAILS_AFTER_S, SUCCEEDS_AFTER_S
from payloom.sandbox.stripe.events.webhooks import LIVE_PAUSES_S, TEST_PAUSES_S
from payloom.sandbox.stripe.methods.bank_accounts import ACCOUNTS, OURS, Account
from payloom.sandbox.stripe.methods.cards import ABROAD, CARDS, Card
from payloom.sandbox.stripe.methods.debits import DEBITS, parts
from payloom.sandbox.stripe.methods.offers import CAPTURES_LATER, CURRENCIES, IS_ON, TITLES
from payloom.sandbox.stripe.methods.vouchers import COURSES, VOUCHERS
from payloom.sandbox.stripe.payments.delayed import PAYS_AFTER_FAILING_S
from payloom.sandbox.stripe.routes import ROUTES
from tests.docs.markdown import code, codes, table


def test_cards() -> str:
    rows = (
        (_grouped(card.number), card.brand, _behaviour(card))
        for card in CARDS.values()
        if not _is_abroad(card)
    )
    return table(["number", "brand", "what it does"], rows)


def _is_abroad(card: Card) -> bool:
    """Whether all that is special about it is its country."""
    return card.number in ABROAD


def cards_abroad() -> str:
    rows = (
        (card.country, card.brand, _grouped(card.number))
        for card in CARDS.values()
        if _is_abroad(card)
    )
    return table(["country", "brand", "number"], rows)


def _grouped(number: str) -> str:
    size = 4 if len(number) == 16 else 15
    return code(" ".join(number[i : i + size] for i in range(0, len(number), size)))


def _behaviour(card: Card) -> str:
    does = []
    if asks := _ASKS.get(card.three_d_secure):
        does.append(asks)
    if card.decline and card.can_be_saved and not card.three_d_secure and card.risk == "normal":
        code_ = code(card.decline.decline_code or card.decline.code)
        does.append(f"can be attached to a customer, and is declined when it is to pay: {code_}")
    elif card.decline:
        does.append(f"is declined: {code(card.decline.decline_code or card.decline.code)}")
    elif card.risk == "highest":
        does.append("is blocked as too risky")
    else:
        does.append("pays, also when its page has expired" if card.pays_late else "pays")
    checks = ", ".join(f"{code(name)} {outcome}" for name, outcome in card.checks.items())
    return ", then ".join(does) + (checks and f"; {checks}") + _after(card)


def _after(card: Card) -> str:
    return _REFUNDS[card.refund] + _AFTERMATHS[card.aftermath]


_ASKS = {
    "optional": "asks for 3-D Secure, if the merchant wishes a `challenge`",
    "required": "asks for 3-D Secure",
    "unless_set_up": "asks for 3-D Secure, unless it was set up for later payments",
    "on_session": "asks for 3-D Secure, if the shopper is there",
}


def test_accounts() -> str:
    rows = (
        (code(account.debit), _written(account), code(f"pm_{account.token}"), _told_of(account))
        for account in ACCOUNTS.values()
    )
    return table(["method", "account", "payment method", "what it does"], rows)


def _written(account: Account) -> str:
    """Field by field, as it is typed."""
    given = parts(DEBITS[account.debit], account.number)
    own = " (our own)" if account.number in OURS else ""
    return " ".join(code(value) for value in given.values()) + own


def _told_of(account: Account) -> str:
    debit = DEBITS[account.debit]
    days = debit.days_late if account.course.endswith("_late") else debit.days
    if account.course == "stays":
        return "is never decided"
    if account.course.startswith("pays"):
        return f"pays after {days} days"
    text = f"fails after {days} days: {code(account.failure)}"
    if account.course == "fails_then_pays":
        text += f"; pays {_days(PAYS_AFTER_FAILING_S)} after that"
    return text


def test_vouchers() -> str:
    rows = []
    for course in COURSES:
        address = code(f"…{course.ending}@…") if course.ending else "any other"
        if course.paid_after_s is not None:
            what = f"is paid {_days(course.paid_after_s)} later"
        elif course.expires_after_s is not None:
            what = f"expires {_days(course.expires_after_s)} later"
        else:
            what = "is not paid, and expires when its days are over"
        rows.append((address, what))
    days = ", ".join(f"{voucher.title} {voucher.days}" for voucher in VOUCHERS.values())
    return table(["email", "the voucher"], rows) + f"\n\nDays until a voucher expires: {days}."


def offered_methods() -> str:
    rows = (
        (code(type_), TITLES[type_], ", ".join(sorted(currencies)).upper() or "any", _offer(type_))
        for type_, currencies in CURRENCIES.items()
    )
    return table(["type", "on the page", "currency", "offered"], rows)


def _offer(type_: str) -> str:
    when = "always" if type_ in IS_ON else "when named"
    return f"{when}; can be captured later" if type_ in CAPTURES_LATER else when


def _days(seconds: int) -> str:
    if seconds < 86_400:
        return f"{seconds} seconds"
    days = seconds // 86_400
    return "a day" if days == 1 else f"{days} days"


_REFUNDS = {
    "at_once": "",
    "pending": f"; a refund is pending, and succeeds {_days(SUCCEEDS_AFTER_S)} later",
    "fails": f"; a refund succeeds, and fails {_days(FAILS_AFTER_S)} later",
}


_AFTERMATHS = {
    "": "",
    "available": "; the money is available at once",
    "disputed_fraudulent": "; is disputed at once: `fraudulent`",
    "disputed_not_received": "; is disputed at once: `product_not_received`",
    "disputed_inquiry": "; the bank inquires at once",
    "warned": "; brings an early fraud warning at once",
}


def card_fees() -> str:
    rows = []
    for currency, rate in fees.CARDS.items():
        home = "EEA" if len(rate.home.split()) > 2 else rate.home
        premium = _percent(rate.premium) if rate.premium else "–"
        rows.append((currency.upper(), _rate(rate.domestic), home, _percent(rate.abroad), premium))
    return table(["currency", "fee", "home", "from abroad, more", "American Express, more"], rows)


def method_fees() -> str:
    rows = (
        (code(type_), currency.upper(), _rate(rate), str(rate.least or "–"), str(rate.most or "–"))
        for (type_, currency), rate in fees.OTHERS.items()
    )
    return table(["method", "currency", "fee", "at least", "at most"], rows)


def _rate(rate: fees.Rate) -> str:
    parts = [_percent(rate.share)] if rate.share else []
    parts += [str(rate.fixed)] if rate.fixed else []
    return " + ".join(parts)


def _percent(hundredths: int) -> str:
    return f"{hundredths / 100:.2f}".rstrip("0").rstrip(".") + " %"


def payout_accounts() -> str:
    rows = (
        (f"{code(ROUTING_NUMBER)} {code(number)}", f"fails: {code(why)}" if why else "is paid")
        for number, why in PAYOUT_ACCOUNTS.items()
    )
    return table(["account", "a payout to it"], rows)


def payout_failures() -> str:
    return codes(FAILURES)


def webhook_pauses() -> str:
    rows = (
        (mode, ", ".join(_long(seconds) for seconds in pauses))
        for mode, pauses in (("test", TEST_PAUSES_S), ("live", LIVE_PAUSES_S))
    )
    return table(["mode", "pauses"], rows)


def _long(seconds: int) -> str:
    for size, unit in ((3_600, "h"), (60, "min")):
        if seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def fault_effects() -> str:
    return f"On requests: {codes(REQUEST_EFFECTS)}. On webhooks: {codes(HOOK_EFFECTS)}."


def sandbox_routes() -> str:
    return "\n".join(f"    {method:<6} {path}" for method, path, _ in ROUTES)
