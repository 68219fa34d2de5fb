"""What every page of the shop is handed."""

from dataclasses import dataclass
from sqlite3 import Connection
from typing import cast

from starlette.requests import Request

from payloom.shop.model import Clock
from payloom.shop.payment_api import PaymentApi
from payloom.shop.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    settings: Settings
    db: Connection
    api: PaymentApi
    clock: Clock


def shop_of(request: Request) -> Shop:
    return cast(Shop, request.state.shop)
