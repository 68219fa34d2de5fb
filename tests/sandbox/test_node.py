"""The official SDK for Node.js judges: another client's forms, lists, errors and signatures."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests import stripe_cli
from tests.sandbox.merchant import Merchant
from tests.sandbox.receiver import Receiver

pytestmark = [
    pytest.mark.skipif(not stripe_cli.node_modules(), reason="no Node.js SDK can be had here"),
    pytest.mark.timeout(120),
]

STORY = Path(__file__).parent / "node_story.js"
WITHIN_S = 60


async def test_a_shop_in_node_sees_what_stripe_would_show_it(
    merchant: Merchant, receiver: Receiver, tmp_path: Path
) -> None:
    endpoint = await merchant.listen(receiver.url, ["product.created"])
    await merchant.stripe.v1.products.create_async({"name": "Blue mug"})
    await receiver.until(1)
    webhook = {
        "body": receiver.got[0].body.decode(),
        "signature": receiver.got[0].headers["Stripe-Signature"],
        "secret": endpoint.secret,
    }
    saw = await _story(merchant, webhook, tmp_path)
    assert saw == {
        "sessions": {"paged": True, "product": "Blue mug", "expired": "expired"},
        "money": ["requires_capture", 1500, "succeeded"],
        "replay": [True, "true"],
        "errors": [
            ["StripeInvalidRequestError", 400, "parameter_unknown", "payment_method_types"],
            ["StripeIdempotencyError", 400, None, None],
            ["StripeCardError", 402, "card_declined", None],
            ["StripeInvalidRequestError", 404, "resource_missing", "id"],
            ["StripeAuthenticationError", 401, None, None],
        ],
        "webhook": "product.created",
    }


async def _story(merchant: Merchant, webhook: dict[str, Any], home: Path) -> Any:
    port = merchant.url.rpartition(":")[2]
    process = await asyncio.create_subprocess_exec(
        *("node", str(STORY), port, merchant.key, json.dumps(webhook)),
        env={
            "HOME": str(home),
            "NODE_PATH": stripe_cli.node_modules() or "",
            "PATH": os.environ["PATH"],
        },
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(WITHIN_S):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, said.decode()
    return json.loads(said)
