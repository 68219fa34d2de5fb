"""What Wrenfold sells: the whole catalogue, and how its prices read."""

from dataclasses import dataclass

from payloom.core import currencies

SIGNS = {"EUR": "€", "GBP": "£", "INR": "₹", "JPY": "¥", "USD": "$"}


@dataclass(frozen=True, slots=True)
class Product:
    sku: str
    name: str
    kind: str
    text: str
    picture_text: str
    # One figure per number of decimals, so that no currency gets an absurd price.
    prices: dict[int, int]

    @property
    def picture(self) -> str:
        return f"/static/{self.sku}.svg"

    def price(self, currency: str) -> int:
        """The unit price in the currency's minor unit."""
        return self.prices[currencies.exponent(currency)]


PRODUCTS = {
    product.sku: product
    for product in (
        Product(
            sku="beans",
            name="Slow Morning",
            kind="Whole beans, 250 g",
            text="A washed Ethiopian with apricot, honey and a long, clean finish.",
            picture_text="A terracotta bag of coffee beans with a wren on its label",
            prices={0: 2400, 2: 1450, 3: 4750},
        ),
        Product(
            sku="dripper",
            name="Fold",
            kind="Ceramic dripper",
            text="Thrown by hand, glazed inside. Holds its heat for the whole pour.",
            picture_text="A cream ceramic dripper on a glass server with coffee",
            prices={0: 5200, 2: 3200, 3: 10500},
        ),
        Product(
            sku="grinder",
            name="Orbit",
            kind="Hand grinder",
            text="Steel burrs, walnut knob, forty clicks from espresso to press.",
            picture_text="A dark green hand grinder with a walnut knob",
            prices={0: 14500, 2: 8900, 3: 29250},
        ),
    )
}


def display(amount: int, currency: str) -> str:
    """An amount as people read it: €14.50, ¥2,400, KWD 4.750."""
    decimals = currencies.exponent(currency)
    whole, rest = divmod(abs(amount), 10**decimals)
    text = f"{whole:,}" + (f".{rest:0{decimals}d}" if decimals else "")
    sign = "−" if amount < 0 else ""
    return f"{sign}{SIGNS[currency]}{text}" if currency in SIGNS else f"{sign}{currency} {text}"
