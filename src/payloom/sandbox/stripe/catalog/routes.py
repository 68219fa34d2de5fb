"""What is answered of products and prices."""

from payloom.sandbox.stripe.catalog import prices, products
from payloom.sandbox.stripe.protocol.resources import lister
from payloom.sandbox.stripe.protocol.routing import Openers, Routes, Timers

ROUTES: Routes = (
    ("POST", "/v1/prices", prices.create),
    ("GET", "/v1/prices", lister(prices.KIND, filters=prices.FILTERS)),
    ("GET", "/v1/prices/{}", prices.retrieve),
    ("POST", "/v1/prices/{}", prices.update),
    ("POST", "/v1/products", prices.create_product),
    ("GET", "/v1/products", lister(products.KIND, filters=products.FILTERS)),
    ("GET", "/v1/products/{}", products.retrieve),
    ("POST", "/v1/products/{}", products.update),
    ("DELETE", "/v1/products/{}", products.delete),
)
TIMERS: Timers = {}
OPENERS: Openers = {("price", "product"): products.of_price}
