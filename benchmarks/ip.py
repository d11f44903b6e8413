"""
IP addresses, one at a time: ipcrypt and Crypto-PAn, beside yacryptopan.
"""

from ipaddress import IPv4Address, IPv6Address
from random import Random

import yacryptopan

from benchmarks.measure import race, ratio, show
from privkit.ciphers.cryptopan import CryptoPAn
from privkit.ciphers.ipcrypt import Deterministic, NonDeterministicX, PrefixPreserving

KEY = bytes(range(32))
ADDRESSES = 1_000


def main() -> bool:
    """
    Print the tables and return whether the targets are met.
    """
    random = Random(1)
    texts = {
        "IPv4": [str(IPv4Address(random.getrandbits(32))) for _ in range(ADDRESSES)],
        "IPv6": [str(IPv6Address(random.getrandbits(128))) for _ in range(ADDRESSES)],
    }
    peer = yacryptopan.CryptoPAn(KEY)
    ours = CryptoPAn(KEY)
    prefix = PrefixPreserving(KEY)
    deterministic = Deterministic(KEY[:16])
    random_tweak = NonDeterministicX(KEY)
    met = []
    for version, addresses in texts.items():
        contenders = {
            "privkit Crypto-PAn": ours.encrypt,
            "privkit Crypto-PAn, back": ours.decrypt,
            "privkit ipcrypt-deterministic": deterministic.encrypt,
            "privkit ipcrypt-pfx": prefix.encrypt,
            "privkit ipcrypt-pfx, back": prefix.decrypt,
            "privkit ipcrypt-ndx": random_tweak.encrypt,
            "yacryptopan": peer.anonymize,
        }
        rows = race(
            {
                name: lambda call=call, addresses=addresses: list(map(call, addresses))
                for name, call in contenders.items()
            },
            values=ADDRESSES,
        )
        show(f"{version} addresses, text to text (addresses/s)", rows)
        met.append(ratio(rows, "privkit Crypto-PAn", "yacryptopan", 5))
    return all(met)


if __name__ == "__main__":
    main()
