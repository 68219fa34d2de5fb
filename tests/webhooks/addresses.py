"""Ways to write an address that no delivery may reach, in 200 and more spellings (F58)."""

from ipaddress import IPv4Address, IPv6Address, ip_address

# What reaches this machine when dialled as it stands; `{}` is the port.
THIS_MACHINE = [
    "http://127.0.0.1:{}/",
    "http://127.0.0.2:{}/",
    "http://127.1.2.3:{}/",
    "http://127.255.255.254:{}/",
    "http://0.0.0.0:{}/",
    "http://[::1]:{}/",
    "http://[::]:{}/",
    "http://[0:0:0:0:0:0:0:1]:{}/",
    "http://[0000:0000:0000:0000:0000:0000:0000:0001]:{}/",
    "http://[::ffff:127.0.0.1]:{}/",
    "http://[::FFFF:7F00:1]:{}/",
    "http://[0:0:0:0:0:ffff:7f00:0001]:{}/",
    "http://[::ffff:0.0.0.0]:{}/",
    "http://[::1%25lo]:{}/",
    "http://localhost:{}/",
    "http://LOCALHOST:{}/",
    "http://LocalHost:{}/",
    "http://user:password@127.0.0.1:{}/",
    "http://shop.example@127.0.0.1:{}/",
    "http://shop.example%40127.0.0.1@127.0.0.1:{}/",
    "http://127.0.0.1:{}?@shop.example/",
    "http://127.0.0.1:{}/#@shop.example",
    "//127.0.0.1:{}/",
]

# Spellings that some library somewhere reads as this machine.
ODD = [
    *(f"http://{host}:{{}}/" for host in (
        "127.1", "127.0.1", "127.0.0.01", "127.000.000.001", "2130706433", "0x7f000001",
        "0x7F000001", "0x7f.0.0.1", "0x7f.1", "0x7f.0x0.0x0.0x1", "0177.0.0.1", "0177.1",
        "017700000001", "00000000177.0.0.1", "0177.0x0.0.1", "127.0.0.1.", "127.0.0.1..",
        "127.0.0.1.1", "0", "00", "0x0", "0.0", "0.0.0", "000.000.000.000", "4294967295",
        "4294967296", "425.510.425.510", "383.256.256.257", "3232235777", "0xa9fea9fe",
        "2852039166", "0251.0376.0251.0376", "0xA9.0xFE.0xA9.0xFE", "169.254.43518", "[127.0.0.1]",
        "[::ffff:127.0.0.1", "::1", "[::1", "[0:0:0:0:0:0:0:0:1]", "[::127.1]", "[1]", "[::1]x",
        "①②⑦.⓪.⓪.①", "１２７.０.０.１", "127。0。0。1", "127．0．0．1", "127｡0｡0｡1",
        "%31%32%37.0.0.1", "127%2e0%2e0%2e1", "%6cocalhost", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "ｌｏｃａｌｈｏｓｔ",
        "localhost.", "localhost%00", "localhost%2eshop.example", "127.0.0.1%20",
        "127.0.0.1%00.shop.example", "127.0.0.1\\@shop.example", "shop.example\\@127.0.0.1",
        "shop.example#@127.0.0.1", "a@b@127.0.0.1", "127.0.0.1%2f@shop.example", "", " 127.0.0.1",
        "127.0.0.1\t", "127.0.0.1\r\n",
    )),
    "http:127.0.0.1:{}/",
    "http:/127.0.0.1:{}/",
    "http:///127.0.0.1:{}/",
    "http:\\\\127.0.0.1:{}/",
    "HTTP://127.0.0.1:{}/",
    "https://127.0.0.1:{}/",
    "ws://127.0.0.1:{}/",
    "ftp://127.0.0.1:{}/",
    "file://127.0.0.1:{}/etc/passwd",
    "gopher://127.0.0.1:{}/",
    "unix:///run/x.sock:{}",
]  # fmt: skip

PRIVATE_V4 = [
    "0.0.0.0", "0.0.0.1", "0.255.255.255", "10.0.0.0", "10.0.0.1", "10.255.255.255", "100.64.0.1",
    "100.100.100.200", "100.127.255.255", "127.0.0.1", "127.255.255.255", "168.63.129.16",
    "169.254.0.1", "169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255", "192.0.0.1",
    "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.1", "192.168.255.255", "198.18.0.1",
    "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",
    "255.255.255.255",
]  # fmt: skip

PRIVATE_V6 = [
    "::", "::1", "100::1", "100:0:0:1::1", "fc00::1", "fd00:ec2::254", "fd20:ce::254", "fe80::1",
    "fe80::1%lo", "fe80::a9fe:a9fe", "febf::1", "fec0::1", "feff::1", "ff01::1", "ff02::1",
    "ff05::2", "ff0e::1", "5f00::1", "2001::1", "2001:2::1", "2001:10::1", "2001:20::1",
    "2001:db8::1", "2001:1ff:ffff::1", "2002::1", "3fff::1", "3fff:fff::1", "4000::1", "1fff::1",
    "8000::1", "e000::1",
]  # fmt: skip

PUBLIC = [
    "1.1.1.1", "8.8.8.8", "9.9.9.9", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
    "128.0.0.1", "168.63.129.15", "168.63.129.17", "169.253.255.255", "169.255.0.0",
    "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.255.255", "192.169.0.0",
    "198.17.255.255", "198.20.0.0", "203.0.112.255", "223.255.255.255", "::ffff:8.8.8.8",
    "2001:200::1", "2001:4860:4860::8888", "2003::1", "2400:cb00::1", "2606:4700:4700::1111",
    "2a00:1450:4001::1", "3ffe::1",
]  # fmt: skip


def inside(address: str) -> list[str]:
    """The ways in which IPv6 carries this IPv4 address, some of which a gateway would unwrap."""
    number = int(IPv4Address(address))
    return [
        str(IPv6Address(carrier))
        for carrier in (
            (0xFFFF << 32) | number,  # mapped
            number,  # compatible, long deprecated
            (0xFFFF << 48) | number,  # SIIT
            (0x64FF9B << 96) | number,  # NAT64
            (0x64FF9B0001 << 80) | number,  # NAT64, local prefix
            (0x2002 << 112) | (number << 80) | 1,  # 6to4
            (0x20010000 << 96) | (number ^ 0xFFFFFFFF),  # Teredo
        )
    ]


def literal(address: str) -> str:
    """A URL for a literal address."""
    host = f"[{address.replace('%', '%25')}]" if ":" in address else address
    return f"http://{host}:{{}}/"


REFUSED = [
    *PRIVATE_V4,
    *PRIVATE_V6,
    *(each for address in PRIVATE_V4 for each in inside(address)),
]
URLS = [*THIS_MACHINE, *ODD, *(literal(address) for address in REFUSED)]

assert all(ip_address(address) for address in (*REFUSED, *PUBLIC))
