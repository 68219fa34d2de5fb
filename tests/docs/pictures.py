"""The pictures of docs/images, taken from a running demo: `python -m tests.docs.pictures`.

Not part of `make docs`: no picture comes out the same twice, and it changes only when the pages do.
"""

import base64
import json
import os
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from struct import pack

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from payloom.settings import Settings
from tests.browser import ARGUMENTS, executable

IMAGES = Path(__file__).parent.parent.parent / "docs" / "images"
SIZES = {"desktop": (1100, 760), "phone": (390, 780)}


def main() -> None:
    settings = Settings.from_env(os.environ, is_root=os.geteuid() == 0)
    facts = json.loads((settings.home / "demo.json").read_text())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        for size in SIZES:
            with _page(browser, size) as page:
                _story(page, facts["shop_url"], size)
        browser.close()


@contextmanager
def _page(browser: Browser, size: str) -> Iterator[Page]:
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height}, is_mobile=size == "phone", locale="en-GB"
    )
    yield context.new_page()
    context.close()


def _story(page: Page, shop_url: str, size: str) -> None:
    page.goto(shop_url)
    _shoot(page, f"shop-{size}")
    page.get_by_role("button", name="Add to cart").first.click()
    page.get_by_role("button", name="Checkout").click()
    page.get_by_label("Card number").wait_for()
    _shoot(page, f"page-{size}")
    _fill(page)
    page.get_by_role("button", name="Pay").click()
    page.wait_for_url(f"{shop_url}/orders/**")
    page.get_by_text("hears, books").wait_for()
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1500)  # the last of the nine steps arrives by webhook
    _shoot(page, f"order-{size}", whole=size == "desktop")


def _fill(page: Page) -> None:
    values = {
        "email": "ada@example.com",
        "cardNumber": "4242424242424242",
        "cardExpiry": "12/34",
        "cardCvc": "123",
        "billingName": "Ada Lovelace",
    }
    for name, value in values.items():
        page.locator(f'input[name="{name}"]').fill(value)


def _shoot(page: Page, name: str, *, whole: bool = False) -> None:
    page.wait_for_load_state("networkidle")
    path = IMAGES / f"{name}.png"
    path.write_bytes(_smaller(page.context, page.screenshot(full_page=whole)))
    print(f"{path.name}  {path.stat().st_size // 1000} kB")


def _smaller(context: BrowserContext, png: bytes) -> bytes:
    """The same picture with the 256 colours it uses most: a quarter of the bytes."""
    page = context.new_page()
    width, pixels = page.evaluate(_READ, base64.b64encode(png).decode())
    page.close()
    raw = base64.b64decode(pixels)
    colours = [raw[i : i + 3] for i in range(0, len(raw), 3)]
    counted = Counter(colours)
    palette = [colour for colour, _ in counted.most_common(256)]
    place = {colour: _nearest(colour, palette) for colour in counted}
    indexed = bytes(place[colour] for colour in colours)
    rows = (b"\0" + indexed[i : i + width] for i in range(0, len(indexed), width))
    header = pack(">IIBBBBB", width, len(indexed) // width, 8, 3, 0, 0, 0)
    chunks = (
        (b"IHDR", header),
        (b"PLTE", b"".join(palette)),
        (b"IDAT", zlib.compress(b"".join(rows), 9)),
        (b"IEND", b""),
    )
    return png[:8] + b"".join(
        pack(">I", len(body)) + kind + body + pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def _nearest(colour: bytes, palette: list[bytes]) -> int:
    def distance(place: int) -> int:
        return sum((a - b) ** 2 for a, b in zip(colour, palette[place], strict=True))

    return min(range(len(palette)), key=distance)


# Width, and the colours of all pixels: the browser knows how to read a PNG.
_READ = """
async (picture) => {
  const image = new Image();
  image.src = "data:image/png;base64," + picture;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const {data} = context.getImageData(0, 0, image.width, image.height);
  let text = "";
  for (let i = 0; i < data.length; i++) {
    if (i % 4 !== 3) text += String.fromCharCode(data[i]);
  }
  return [image.width, btoa(text)];
}
"""


if __name__ == "__main__":
    main()
