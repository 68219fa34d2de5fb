"""What is answered of customers and of the payment methods that they keep."""

from payloom.sandbox.stripe.customers import attaching, customers
from payloom.sandbox.stripe.protocol.routing import Openers, Routes, Timers

ROUTES: Routes = (
    ("POST", "/v1/customers", customers.create),
    ("GET", "/v1/customers", customers.list_),
    ("GET", "/v1/customers/{}", customers.retrieve),
    ("POST", "/v1/customers/{}", customers.update),
    ("DELETE", "/v1/customers/{}", customers.delete),
    ("GET", "/v1/customers/{}/payment_methods", attaching.list_of_customer),
    ("GET", "/v1/customers/{}/payment_methods/{}", attaching.retrieve_of_customer),
    ("GET", "/v1/payment_methods", attaching.list_all),
    ("POST", "/v1/payment_methods/{}", attaching.update),
    ("POST", "/v1/payment_methods/{}/attach", attaching.attach),
    ("POST", "/v1/payment_methods/{}/detach", attaching.detach),
)
TIMERS: Timers = {}
OPENERS: Openers = {
    ("customer", "sources"): customers.nothing("sources"),
    ("customer", "subscriptions"): customers.nothing("subscriptions"),
    ("customer", "tax_ids"): customers.nothing("tax_ids"),
}
