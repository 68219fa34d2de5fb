"""Who did what to keys and credentials is in the log, and no secret is (S23, S24)."""

import pytest
from structlog.testing import capture_logs

from payloom.core import ids
from payloom.core.errors import Unauthorized
from payloom.core.secret import Secret
from payloom.merchants import connections
from payloom.merchants.auth import authenticate
from payloom.merchants.merchants import create_key, create_merchant, revoke_key
from payloom.runtime import Runtime

PSP_KEY, HOOK, HOOK_2 = "sk_test_51Canary000001", "whsec_Canary000002", "whsec_Canary000003"


async def test_every_change_is_logged_with_its_merchant_and_without_secrets(rt: Runtime) -> None:
    with capture_logs() as lines:
        made = await create_merchant(rt, "Corner Shop", "test")
        merchant_id = made.merchant_id
        key_id, key = await create_key(rt, merchant_id, "reports", ["ledger:read"])
        await revoke_key(rt, merchant_id, key_id)
        with pytest.raises(Unauthorized):
            await authenticate(rt, f"Bearer {key.reveal()}")
        connection_id = await connections.add_connection(
            rt, merchant_id, "stripe", {"api_key": Secret(PSP_KEY)}
        )
        await connections.add_secret(rt, merchant_id, connection_id, Secret(HOOK))
        await connections.replace_secret(
            rt, merchant_id, connection_id, field="webhook_secret", secret=Secret(HOOK_2)
        )
        await connections.add_secret(rt, merchant_id, connection_id, Secret(HOOK))
        await connections.remove_secret(rt, merchant_id, connection_id, field="webhook_secret")
        await connections.disable_connection(rt, merchant_id, connection_id)
    assert [line["event"] for line in lines] == [
        "merchant.created",
        "api_key.created",
        "api_key.revoked",
        "connection.added",
        "connection.secret_kept",
        "connection.secret_kept",
        "connection.secret_kept",
        "connection.secret_removed",
        "connection.disabled",
    ]
    assert {line["merchant"] for line in lines} == {ids.text("mer", merchant_id)}
    for secret in (key.reveal(), made.api_key.reveal(), made.return_secret.reveal()):
        assert secret not in str(lines)
    for text in (PSP_KEY, HOOK, HOOK_2):
        assert text not in str(lines)
