"""A developer's machine: the PSP reaches it by `stripe listen` alone."""

from pathlib import Path

import pytest

from payloom.core import ids
from payloom.core.secret import Secret
from payloom.merchants.connections import add_secret
from tests import stripe_cli
from tests.sandbox.cli_program import Cli
from tests.scenarios.moves import causes, made, notices, token_of
from tests.scenarios.stage import Stage
from tests.scenarios.telling import check_paid_once

pytestmark = [
    pytest.mark.skipif(not stripe_cli.executable(), reason="no Stripe CLI can be had here"),
    pytest.mark.timeout(180),
]


async def no_endpoints(stage: Stage) -> None:
    for endpoint in (await stage.sandbox("GET", "/v1/webhook_endpoints"))["data"]:
        await stage.sandbox("DELETE", f"/v1/webhook_endpoints/{endpoint['id']}")


async def test_a_payment_is_known_by_what_stripe_listen_forwards(
    stage: Stage, tmp_path: Path
) -> None:
    """Without an endpoint at the PSP, without the sweep, and nobody comes back."""
    cli = Cli(stage.sandbox_url, stage.psp_key, tmp_path)
    _, secret = await cli.run("listen", "--print-secret")
    merchant, connection = stage.merchant.merchant_id, stage.connection_id
    await add_secret(stage.rt, merchant, connection, Secret(secret.strip()))
    await no_endpoints(stage)
    url = f"{stage.api_url}/psp/stripe/{ids.text('con', connection)}/notices"
    assert not stage.rt.settings.sweep
    async with cli.listening("--all-snapshot", "--forward-to", url):
        order = await made(stage)
        await stage.pay(token_of(order))
        await stage.until(order["id"], "SUCCEEDED")
    assert ("Paid", "notice") in await causes(stage, order["id"])
    assert {kept["type"] for kept in await notices(stage)} >= {"checkout.session.completed"}
    await check_paid_once(stage, order)
