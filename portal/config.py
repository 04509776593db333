"""Settings from the environment, each with a safe default; the start fails when a needed secret is missing."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from portal.framework.rules import Longest
from portal.kernel.errors import RuleBroken
from portal.kernel.working_time import Nation

MEGABYTE = 1024 * 1024
MAX_UPLOAD = 50 * MEGABYTE
#: A document can be set to this many megabytes: the form around it must fit into ``MAX_UPLOAD`` too.
MOST_DOCUMENT_MB = 45
#: No framework runs longer.
MOST_YEARS = 99
#: The most that a grant pays for one job in England, in pence; councils elsewhere set their own.
GRANT_CAP_PENCE = 3_000_000
#: Nobody puts more in a row.
MOST_PROXIES = 10


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says. ``instance`` is the folder for the embedded database, the key and the queue."""

    instance: Path
    database_url: str
    secret_key: str
    redis_url: str | None
    mail_url: str | None
    uploads: Path
    nation: Nation
    https: bool
    #: The largest document of a contractor, in bytes.
    largest_document: int = 10 * MEGABYTE
    #: Where the portal is reached, such as ``https://framework.example.gov.uk``: what links in mail begin with.
    #: ``None``: as each visitor came.
    address: str | None = None
    #: How many proxies stand in front and say who a visitor is, by which name and how they came.
    proxies: int = 0
    #: How many years a framework agreement may run.
    longest: Longest = field(default_factory=Longest)
    #: The most that the grant pays for one job, VAT included, in pence.
    grant_cap_pence: int = GRANT_CAP_PENCE

    @property
    def embedded(self) -> bool:
        """Whether everything runs from files on this machine."""
        return self.database_url.startswith("sqlite")

    def for_flask(self) -> dict[str, Any]:
        """The settings under the names that Flask and its extensions read."""
        return {
            "SECRET_KEY": self.secret_key,
            "SQLALCHEMY_DATABASE_URI": self.database_url,
            "MAX_CONTENT_LENGTH": MAX_UPLOAD,
            "PERMANENT_SESSION_LIFETIME": timedelta(hours=8),
            "RATELIMIT_STORAGE_URI": self.redis_url or "memory://",
            "PORTAL_HTTPS": self.https,
            "PORTAL": self,
        }


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings that ``environment`` gives; ``RuleBroken`` names the variable that is wrong or missing."""
    instance = Path(environment.get("PORTAL_INSTANCE", "instance")).resolve()
    production = environment.get("PORTAL_ENV", "") == "production"
    key = environment.get("PORTAL_SECRET_KEY", "")
    if production and len(key) < 32:
        raise RuleBroken(
            "PORTAL_SECRET_KEY must be set to at least 32 characters in production; "
            "`python -c 'import secrets; print(secrets.token_hex(32))'` makes one."
        )
    nation = environment.get("PORTAL_NATION", Nation.ENGLAND_AND_WALES.value)
    if nation not in {each.value for each in Nation}:
        raise RuleBroken(f"PORTAL_NATION is {nation}; it must be one of {', '.join(each.value for each in Nation)}.")
    document_mb = environment.get("PORTAL_DOCUMENT_MB", "") or "10"
    if not (document_mb.isascii() and document_mb.isdigit() and 1 <= int(document_mb[:9]) <= MOST_DOCUMENT_MB):
        raise RuleBroken(
            f"PORTAL_DOCUMENT_MB is {document_mb}; it must be a whole number of megabytes from 1 to {MOST_DOCUMENT_MB}."
        )
    mail_url = environment.get("PORTAL_MAIL_URL") or None
    address = site_address(environment.get("PORTAL_ADDRESS", ""))
    if production and mail_url and address is None:
        # A visitor names the host of a request at will: a link in somebody else's mail must not lead there.
        raise RuleBroken(
            "PORTAL_ADDRESS must be set in production when mail is sent: where the portal is reached, such as "
            "https://framework.example.gov.uk. Links in mail begin with it."
        )
    proxies = environment.get("PORTAL_PROXIES", "") or "0"
    if not (proxies.isascii() and proxies.isdigit() and int(proxies[:9]) <= MOST_PROXIES):
        raise RuleBroken(f"PORTAL_PROXIES is {proxies}; it must be a whole number of proxies from 0 to {MOST_PROXIES}.")
    instance.mkdir(parents=True, exist_ok=True)
    return Settings(
        instance=instance,
        database_url=database_url(environment.get("PORTAL_DATABASE_URL", ""), instance),
        secret_key=key or kept_key(instance / "secret_key"),
        redis_url=environment.get("PORTAL_REDIS_URL") or None,
        mail_url=mail_url,
        uploads=Path(environment.get("PORTAL_UPLOADS", instance / "uploads")),
        nation=Nation(nation),
        https=production,
        largest_document=int(document_mb) * MEGABYTE,
        address=address,
        proxies=int(proxies),
        longest=Longest(
            years(environment, "PORTAL_CLOSED_FRAMEWORK_YEARS", Longest().closed_years),
            years(environment, "PORTAL_OPEN_FRAMEWORK_YEARS", Longest().open_years),
        ),
        grant_cap_pence=grant_cap(environment.get("PORTAL_GRANT_CAP", "")),
    )


def site_address(given: str) -> str | None:
    """The portal's own address without a slash at its end; ``RuleBroken`` for what a link cannot begin with."""
    if not given:
        return None
    try:
        parts = urlsplit(given)
        whole = parts.scheme in {"http", "https"} and parts.hostname and not parts.username
    except ValueError:
        whole = False
    if not whole or given.rstrip("/") != f"{parts.scheme}://{parts.netloc}":
        raise RuleBroken(f"PORTAL_ADDRESS is {given}; it must look like https://framework.example.gov.uk.")
    return given.rstrip("/")


def grant_cap(given: str) -> int:
    """The grant cap in pence from what is written in pounds; ``RuleBroken`` for anything but an amount above £0."""
    if not given:
        return GRANT_CAP_PENCE
    written = re.fullmatch(r"([0-9]{1,9})(?:\.([0-9]{2}))?", given, re.ASCII)
    pence = int(written[1]) * 100 + int(written[2] or 0) if written else 0
    if pence == 0:
        raise RuleBroken(
            f"PORTAL_GRANT_CAP is {given}; it must be an amount in pounds above 0, such as 30000 or 36000.50."
        )
    return pence


def years(environment: Mapping[str, str], name: str, default: int) -> int:
    """The number of years that the variable ``name`` gives; ``RuleBroken`` for anything but 1 to 99."""
    text = environment.get(name, "") or str(default)
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST_YEARS):
        raise RuleBroken(f"{name} is {text}; it must be a whole number of years from 1 to {MOST_YEARS}.")
    return int(text)


def database_url(given: str, instance: Path) -> str:
    """The URL for SQLAlchemy: the embedded file by default, psycopg 3 for ``postgres://`` and ``postgresql://``."""
    if not given:
        return f"sqlite:///{instance / 'portal.db'}"
    for prefix in ("postgres://", "postgresql://"):
        if given.startswith(prefix):
            return "postgresql+psycopg://" + given.removeprefix(prefix)
    return given


def kept_key(path: Path) -> str:
    """The secret key kept in ``path``; made on the first start, readable by its owner only."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(32))
    return path.read_text(encoding="ascii").strip()
