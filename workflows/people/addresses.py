"""What an e-mail address tells and does not tell. Pure; what is kept of it is lower case."""

import re

from storage.errors import InvalidInput, Problem

FREE_MAIL = frozenset(
    {
        "aol.com",
        "fastmail.com",
        "free.fr",
        "gmail.com",
        "gmx.at",
        "gmx.ch",
        "gmx.de",
        "gmx.net",
        "googlemail.com",
        "hotmail.com",
        "icloud.com",
        "laposte.net",
        "libero.it",
        "live.com",
        "mail.com",
        "mail.ru",
        "me.com",
        "msn.com",
        "orange.fr",
        "outlook.com",
        "proton.me",
        "protonmail.com",
        "qq.com",
        "seznam.cz",
        "t-online.de",
        "tutanota.com",
        "web.de",
        "wp.pl",
        "yahoo.ca",
        "yahoo.co.uk",
        "yahoo.com",
        "yahoo.fr",
        "yandex.ru",
        "zoho.com",
    }
)
"""Domains at which anyone can have an address: one there says nothing of where a person works."""

_ADDRESS = re.compile(r"[^@\s<>()\[\],;:\\\"]+@([a-z0-9-]+\.)+[a-z0-9-]{2,}")
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]([a-z0-9-]*[a-z0-9])")
_LONGEST = 254


def read_address(text: str, field: str = "email") -> str:
    """The address in lower case. Raises InvalidInput when it is none that mail could be sent to."""
    address = text.strip().lower()
    if len(address) > _LONGEST or not _ADDRESS.fullmatch(address):
        problem = Problem(field, "Write a whole e-mail address, such as name@example.org.")
        raise InvalidInput("This is not an e-mail address.", problems=[problem])
    return address


def read_domain(text: str, field: str = "domain") -> str:
    """The domain in lower case, without `@` or `www.`. Raises InvalidInput when it is none."""
    domain = text.strip().lower().removeprefix("@").removeprefix("www.")
    if len(domain) > _LONGEST or not _DOMAIN.fullmatch(domain):
        problem = Problem(field, "Write the part of the organisation's addresses after the @.")
        raise InvalidInput("This is not a domain.", problems=[problem])
    return domain


def domain_of(address: str) -> str:
    """What stands after the @."""
    return address.rpartition("@")[2].lower()


def of_domain(address: str, domain: str) -> bool:
    """Whether the address is at the domain or at a part of it (`name@mail.example.org`)."""
    own = domain_of(address)
    return own == domain or own.endswith(f".{domain}")


def is_free_mail(address: str) -> bool:
    """Whether anyone can have an address at this domain."""
    return domain_of(address) in FREE_MAIL


def same_mailbox(one: str, other: str) -> bool:
    """Whether mail to both arrives in one place as far as the addresses tell: `a+b@x` is `a@x`."""
    return _mailbox(one) == _mailbox(other)


def _mailbox(address: str) -> tuple[str, str]:
    local, _, domain = address.strip().lower().rpartition("@")
    domain = {"googlemail.com": "gmail.com"}.get(domain, domain)
    local = local.partition("+")[0]
    return (local.replace(".", "") if domain == "gmail.com" else local), domain
