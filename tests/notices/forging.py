"""Ways to make a call that is not the PSP's; each takes a genuine one and spoils it."""

import hashlib
import hmac
import json
import random
import string
from collections.abc import Callable
from dataclasses import dataclass

from tests.notices.given import SECRET

HEX = "0123456789abcdef"


@dataclass(frozen=True, slots=True)
class Call:
    """What is posted to the route. `header` None: there is no signature at all."""

    body: bytes
    header: str | None
    to_stranger: bool = False


def signature(body: bytes, at: int, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), b"%d." % at + body, hashlib.sha256).hexdigest()


def signed(body: bytes, at: int, secret: str = SECRET) -> str:
    return f"t={at},v1={signature(body, at, secret)}"


def genuine(rnd: random.Random, now: int, other_secret: str) -> Call:
    """A call of the PSP's: with either secret, within the tolerance, among other schemes."""
    body, at = a_body(rnd), now + rnd.randint(-200, 200)
    mac = signature(body, at, rnd.choice((SECRET, other_secret)))
    items = [f"v1={mac}", *_junk(rnd)]
    rnd.shuffle(items)
    return Call(body, ",".join([f"t={at}", *items]))


def forged(rnd: random.Random, now: int) -> Call:
    """A call that is not the PSP's, in one of WAYS."""
    return rnd.choice(WAYS)(rnd, a_body(rnd), now)


def a_body(rnd: random.Random) -> bytes:
    """An event with odd text in it, written in some way that JSON allows."""
    text = "".join(rnd.choice(string.printable + "éß☕𝄞") for _ in range(rnd.randint(0, 80)))
    thing = {"id": f"cus_{rnd.random()}", "object": "customer", "name": text}
    event = {"id": f"evt_{rnd.getrandbits(96):x}", "object": "event", "type": "customer.created",
             "livemode": False, "api_version": None, "data": {"object": thing}}  # fmt: skip
    ascii_only, indent = rnd.random() < 0.5, rnd.choice((None, 2))
    return rnd.choice(("", "\r\n ")).encode() + json.dumps(
        event, ensure_ascii=ascii_only, indent=indent
    ).encode("utf-8")


def _junk(rnd: random.Random) -> list[str]:
    schemes = (f"v0={_hex(rnd)}", f"v1={_hex(rnd)}", f"v1={_hex(rnd, 10)}", "v2=", "x")
    return rnd.sample(schemes[:4], rnd.randint(0, 3))


def _hex(rnd: random.Random, count: int = 64) -> str:
    return "".join(rnd.choice(HEX) for _ in range(count))


# --- the body is another ---------------------------------------------------------------------


def _one_bit(rnd: random.Random, body: bytes, now: int) -> Call:
    changed = bytearray(body)
    changed[rnd.randrange(len(changed))] ^= 1 << rnd.randrange(8)
    return Call(bytes(changed), signed(body, now))


def _cut_or_longer(rnd: random.Random, body: bytes, now: int) -> Call:
    longer = (b" ", b"\n", b"\x00", b"}", body)
    changed = rnd.choice((body[: rnd.randrange(len(body))], body + rnd.choice(longer), b" " + body))
    return Call(changed, signed(body, now))


def _same_meaning(rnd: random.Random, body: bytes, now: int) -> Call:
    """The same JSON in other bytes: what counts is the bytes."""
    return Call(json.dumps(json.loads(body), indent=rnd.randint(3, 9)).encode(), signed(body, now))


def _of_another_call(rnd: random.Random, body: bytes, now: int) -> Call:
    return Call(body, signed(a_body(rnd), now))


def _not_utf8(rnd: random.Random, body: bytes, now: int) -> Call:
    """Even under the right secret: no PSP says this, and no reader would agree what it says."""
    at = rnd.randrange(len(body))
    changed = body[:at] + rnd.choice((b"\xff", b"\xc3\x28", b"\xed\xa0\x80")) + body[at:]
    is_text = _is_utf8(changed)
    return Call(changed, signed(changed if not is_text else body, now))


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


# --- the signature is another ----------------------------------------------------------------


def _one_digit(rnd: random.Random, body: bytes, now: int) -> Call:
    mac = signature(body, now)
    at = rnd.randrange(len(mac))
    other = rnd.choice([digit for digit in HEX + "gGÄ١" if digit != mac[at]])
    return Call(body, f"t={now},v1={mac[:at]}{other}{mac[at + 1 :]}")


def _of_other_length(rnd: random.Random, body: bytes, now: int) -> Call:
    mac = signature(body, now)
    changed = rnd.choice((mac[:-1], mac[1:], mac + "0", mac * 2, mac[: rnd.randrange(64)], ""))
    return Call(body, f"t={now},v1={changed}")


def _of_other_case(rnd: random.Random, body: bytes, now: int) -> Call:
    mac = signature(body, now)
    other = mac.upper()
    return Call(body, f"t={now},v1={other if other != mac else '0' * 64}")


def _at_random(rnd: random.Random, body: bytes, now: int) -> Call:
    macs = ",".join(f"v1={_hex(rnd)}" for _ in range(rnd.choice((1, 1, 2, 200))))
    return Call(body, f"t={now},{macs}")


def _near_secret(rnd: random.Random, body: bytes, now: int) -> Call:
    at = rnd.randrange(len(SECRET))
    near = (
        SECRET[:at] + chr(ord(SECRET[at]) ^ 1) + SECRET[at + 1 :],
        SECRET[:-1], SECRET + "0", SECRET + "\n", " " + SECRET, SECRET.upper(), "",
        SECRET.removeprefix("whsec_"), "whsec_", "sk_test_" + "0" * 24,
    )  # fmt: skip
    return Call(body, signed(body, now, rnd.choice(near)))


def _made_otherwise(rnd: random.Random, body: bytes, now: int) -> Call:
    """What somebody would try who has read half of the documentation."""
    key, stamp = SECRET.encode(), b"%d" % now
    mac = rnd.choice(
        (
            hmac.new(key, body, hashlib.sha256).hexdigest(),
            hmac.new(key, stamp + body, hashlib.sha256).hexdigest(),
            hmac.new(key, body + b"." + stamp, hashlib.sha256).hexdigest(),
            hmac.new(key, stamp + b"." + body, hashlib.sha1).hexdigest(),
            hmac.new(key, stamp + b"." + body, hashlib.sha512).hexdigest(),
            hashlib.sha256(key + stamp + b"." + body).hexdigest(),
            hashlib.sha256(stamp + b"." + body).hexdigest(),
        )
    )
    return Call(body, f"t={now},v1={mac}")


# --- the header is another -------------------------------------------------------------------


def _no_header(rnd: random.Random, body: bytes, now: int) -> Call:
    mac = signature(body, now)
    return Call(body, rnd.choice((None, "", ",", "t", "=", f"v1={mac}", mac, f"t={now}", "t=,v1=")))


def _other_scheme(rnd: random.Random, body: bytes, now: int) -> Call:
    scheme = rnd.choice(("v0", "v2", "V1", " v1", "v1 ", "v11", "v", ""))
    return Call(body, f"t={now},{scheme}={signature(body, now)}")


def _no_words(rnd: random.Random, body: bytes, now: int) -> Call:
    letters = [chr(code) for code in range(0x20, 0x17F) if code != 0x7F]
    return Call(body, "".join(rnd.choice(letters) for _ in range(rnd.randint(1, 120))))


# --- the time is another ---------------------------------------------------------------------


def _old(rnd: random.Random, body: bytes, now: int) -> Call:
    ago = rnd.choice((310, 600, 86_400, now, rnd.randint(310, now)))
    return Call(body, signed(body, now - ago))


def _from_the_future(rnd: random.Random, body: bytes, now: int) -> Call:
    return Call(body, signed(body, now + rnd.choice((3_600, 86_400, 10**9, 10**20, 10**300))))


def _of_another_second(rnd: random.Random, body: bytes, now: int) -> Call:
    other = now + rnd.choice((-1, 1, rnd.randint(2, 250), -rnd.randint(2, 250)))
    return Call(body, f"t={other},v1={signature(body, now)}")


def _made_fresh(rnd: random.Random, body: bytes, now: int) -> Call:
    """An old call, and a second, fresh time in front of it or behind."""
    times = [f"t={now - 1_000}", f"t={now}"]
    rnd.shuffle(times)
    return Call(body, ",".join([*times, f"v1={signature(body, now - 1_000)}"]))


def _to_a_stranger(_: random.Random, body: bytes, now: int) -> Call:
    """Genuine, but of another merchant's connection (F41)."""
    return Call(body, signed(body, now), to_stranger=True)


WAYS: tuple[Callable[[random.Random, bytes, int], Call], ...] = (
    _one_bit, _cut_or_longer, _same_meaning, _of_another_call, _not_utf8,
    _one_digit, _of_other_length, _of_other_case, _at_random, _near_secret, _made_otherwise,
    _no_header, _other_scheme, _no_words,
    _old, _from_the_future, _of_another_second, _made_fresh, _to_a_stranger,
)  # fmt: skip
