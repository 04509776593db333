"""Organisations and people."""

from __future__ import annotations

import secrets

from flask_login import UserMixin
from sqlalchemy import Boolean, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.policy import ACROSS_AUTHORITIES, OrganisationKind, Permission, Role, may
from portal.kernel.db import Base, Code, Id, Instant, Name, reference_to, state_column


class Organisation(Base):
    """An authority or a contractor; its code is how files and commands name it."""

    __tablename__ = "organisation"

    id: Mapped[Id]
    code: Mapped[Code] = mapped_column(unique=True)
    name: Mapped[Name]
    kind: Mapped[OrganisationKind] = state_column(OrganisationKind)


class Person(UserMixin, Base):  # type: ignore[misc]  # Flask-Login brings no types
    """Somebody who signs in."""

    __tablename__ = "person"
    __table_args__ = (UniqueConstraint("email"),)

    id: Mapped[Id]
    email: Mapped[str] = mapped_column(String(254))
    name: Mapped[Name]
    role: Mapped[Role] = state_column(Role)
    organisation_id: Mapped[int] = reference_to("organisation")
    password_hash: Mapped[str] = mapped_column(String(200))
    # Part of every session: a new stamp signs the person out everywhere.
    session_stamp: Mapped[str] = mapped_column(String(32), default=lambda: secrets.token_hex(16))
    enabled: Mapped[bool] = mapped_column(Boolean, default=True, server_default=text("true"))
    created_at: Mapped[Instant]

    organisation: Mapped[Organisation] = relationship(lazy="joined", innerjoin=True)

    @property
    def is_active(self) -> bool:
        return self.enabled

    def get_id(self) -> str:
        return f"{self.id}:{self.session_stamp}"

    def may(self, permission: Permission) -> bool:
        """Whether this person holds ``permission``."""
        return may(self.role, permission)

    @property
    def authority_scope(self) -> int | None:
        """The one authority whose jobs this person sees; ``None`` for those who serve them all."""
        return None if self.role in ACROSS_AUTHORITIES else self.organisation_id
