"""What tests of payouts do and ask: pay, choose how payouts are made, and see what came of them."""

from typing import Any

from tests.sandbox.merchant import Json, Merchant


async def paid(
    merchant: Merchant,
    amount: int = 5000,
    currency: str = "usd",
    method: str = "pm_card_bypassPending",
) -> str:
    """The charge of a payment whose money is there at once, unless it is another card."""
    intent = await merchant.stripe.v1.payment_intents.create_async(
        {
            "amount": amount,
            "currency": currency,
            "payment_method": method,
            "confirm": True,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        }
    )
    await merchant.advance(2)
    return str(intent.latest_charge)


async def choose(merchant: Merchant, **change: Any) -> tuple[int, Json]:
    """Whether payouts are made by themselves, and to which account."""
    url = f"{merchant.url}/_sandbox/payouts"
    async with merchant.http.post(url, json=change, headers=merchant.auth) as answer:
        return answer.status, await answer.json()


async def make(merchant: Merchant, amount: int, **more: Any) -> Any:
    given: Any = {"amount": amount, "currency": "usd", **more}
    return await merchant.stripe.v1.payouts.create_async(given)


async def payouts(merchant: Merchant, **filters: Any) -> list[Any]:
    given: Any = filters
    return list((await merchant.stripe.v1.payouts.list_async(given)).data)


async def now(merchant: Merchant, payout: Any, **more: Any) -> Any:
    given: Any = more
    return await merchant.stripe.v1.payouts.retrieve_async(payout.id, given)


async def items(merchant: Merchant, payout: Any) -> list[Any]:
    given: Any = {"payout": payout.id, "limit": 100}
    return list((await merchant.stripe.v1.balance_transactions.list_async(given)).data)


async def available(merchant: Merchant, currency: str = "usd") -> int:
    balance = await merchant.stripe.v1.balance.retrieve_async()
    return sum(part.amount for part in balance.available if part.currency == currency)


async def told(merchant: Merchant) -> list[str]:
    """What was told of payouts, oldest first."""
    prefix = "payout."
    return [t.removeprefix(prefix) for t in await merchant.events() if t.startswith(prefix)]
