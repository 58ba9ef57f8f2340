"""Who may use the review page: users with roles, their sessions and tokens, and the record of log-ins.

Passwords, session ids and tokens are kept as hashes only; who makes and checks the hashes is the caller.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy import Column as SqlColumn

from feedback_nlp.core.errors import ConfigError
from feedback_nlp.store.database import Database
from feedback_nlp.store.runs import rfc3339
from feedback_nlp.store.schema import metadata

Role = Literal["viewer", "analyst", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
LONGEST_NAME = 128

REVIEW_USERS = Table(
    "review_users",
    metadata,
    SqlColumn("name", String(LONGEST_NAME), primary_key=True),
    SqlColumn("role", String(16), nullable=False),
    SqlColumn("password", Text),
    SqlColumn("disabled", Boolean, nullable=False),
    SqlColumn("created_at", String(32), nullable=False),
    CheckConstraint("role IN ('viewer', 'analyst', 'admin')", name="role"),
)
"""One row a user; ``password`` is a hash, null where another service logs the user in."""


def _owner() -> SqlColumn[str]:
    return SqlColumn("user", ForeignKey("review_users.name", ondelete="CASCADE"), nullable=False)


REVIEW_SESSIONS = Table(
    "review_sessions",
    metadata,
    SqlColumn("digest", String(64), primary_key=True),
    _owner(),
    SqlColumn("created_at", String(32), nullable=False),
    SqlColumn("expires_at", String(32), nullable=False),
    Index("ix_review_sessions_user", "user"),
)
"""One row a session; ``digest`` is the sha256 of its id."""

REVIEW_TOKENS = Table(
    "review_tokens",
    metadata,
    SqlColumn("token", Integer, primary_key=True),
    SqlColumn("digest", String(64), nullable=False, unique=True),
    _owner(),
    SqlColumn("label", String(LONGEST_NAME), nullable=False),
    SqlColumn("created_at", String(32), nullable=False),
    SqlColumn("expires_at", String(32), nullable=False),
    Index("ix_review_tokens_user", "user"),
)
"""One row a bearer token of the programming interface; ``digest`` is the sha256 of the token."""

REVIEW_LOGINS = Table(
    "review_logins",
    metadata,
    SqlColumn("login", Integer, primary_key=True),
    SqlColumn("at", String(32), nullable=False),
    SqlColumn("user", String(LONGEST_NAME)),
    SqlColumn("address", String(64), nullable=False),
    SqlColumn("via", String(16), nullable=False),
    SqlColumn("outcome", String(16), nullable=False),
)
"""One row an attempt to log in, never changed; ``user`` is null where no such user exists."""


@dataclass(frozen=True)
class User:
    """A person who may use the review page.

    :param name: unique name.
    :param role: ``viewer`` reads, ``analyst`` decides too, ``admin`` sees users and log-ins too.
    :param password: hash of the password, None where another service logs the user in.
    :param disabled: whether every log-in is refused.
    :param created_at: RFC 3339 in UTC.
    """

    name: str
    role: Role
    password: str | None
    disabled: bool
    created_at: str


@dataclass(frozen=True)
class Token:
    """A bearer token as its owner sees it again: never the token itself.

    :param token: its number.
    :param label: what the owner called it.
    :param created_at: RFC 3339 in UTC, as is ``expires_at``.
    """

    token: int
    label: str
    created_at: str
    expires_at: str


@dataclass(frozen=True)
class LoginRecord:
    """One attempt to log in.

    :param at: RFC 3339 in UTC.
    :param user: None where no such user exists.
    :param address: where it came from.
    :param via: ``password``, ``oidc``, ``proxy`` or ``token``.
    :param outcome: ``ok``, ``refused``, ``disabled``, ``throttled`` or ``logout``.
    """

    at: str
    user: str | None
    address: str
    via: str
    outcome: str


def _as_user(row: Row[Any]) -> User:
    return User(row.name, row.role, row.password, bool(row.disabled), row.created_at)


class UserBook:
    """Users, sessions, tokens and log-ins of a store.

    :param database: an open database of the newest schema.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def users(self) -> list[User]:
        """Return all users by name."""
        with self._database.reading() as connection:
            rows = connection.execute(select(REVIEW_USERS).order_by(REVIEW_USERS.c.name)).all()
        return [_as_user(row) for row in rows]

    def find(self, name: str) -> User | None:
        """Return a user, None where there is none of this name."""
        with self._database.reading() as connection:
            row = connection.execute(select(REVIEW_USERS).where(REVIEW_USERS.c.name == name)).one_or_none()
        return None if row is None else _as_user(row)

    def add(self, name: str, role: Role, password: str | None, at: datetime) -> User:
        """Add a user.

        :param name: 1 to 128 characters without blanks at the ends and without controls.
        :param password: hash of the password; None where another service logs the user in.
        :raises ConfigError: for a name that is taken or not allowed, or an unknown role.
        """
        if not name or name != name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
            raise ConfigError(
                f"A user's name has 1 to {LONGEST_NAME} printable characters, without blanks at its ends."
            )
        if role not in ROLES:
            raise ConfigError(f"No role '{role}'. There are: {', '.join(ROLES)}.")
        if self.find(name) is not None:
            raise ConfigError(f"There is a user '{name}' already.")
        values = {"name": name, "role": role, "password": password, "disabled": False, "created_at": rfc3339(at)}
        with self._database.writing() as connection:
            connection.execute(insert(REVIEW_USERS).values(**values))
        return User(name, role, password, False, rfc3339(at))

    def change(
        self, name: str, *, role: Role | None = None, password: str | None = None, disabled: bool | None = None
    ) -> User:
        """Change a user; a new password or being disabled ends every session, being disabled every token too.

        :raises ConfigError: when there is no such user or role.
        """
        if role is not None and role not in ROLES:
            raise ConfigError(f"No role '{role}'. There are: {', '.join(ROLES)}.")
        given = {"role": role, "password": password, "disabled": disabled}
        changed = {key: value for key, value in given.items() if value is not None}
        with self._database.writing() as connection:
            mine = REVIEW_USERS.c.name == name
            row = connection.execute(select(REVIEW_USERS).where(mine)).one_or_none()
            if row is None:
                raise ConfigError(f"No user '{name}'. `feedback-nlp review users list` shows them.")
            if changed:
                connection.execute(update(REVIEW_USERS).where(mine).values(**changed))
            if password is not None or disabled:
                connection.execute(delete(REVIEW_SESSIONS).where(REVIEW_SESSIONS.c.user == name))
            if disabled:
                connection.execute(delete(REVIEW_TOKENS).where(REVIEW_TOKENS.c.user == name))
            return _as_user(connection.execute(select(REVIEW_USERS).where(mine)).one())

    def begin_session(self, name: str, digest: str, at: datetime, until: datetime) -> None:
        """Remember a session, and forget those that ended by themselves.

        :param digest: sha256 of its id, hexadecimal.
        """
        values = {"digest": digest, "user": name, "created_at": rfc3339(at), "expires_at": rfc3339(until)}
        with self._database.writing() as connection:
            connection.execute(delete(REVIEW_SESSIONS).where(REVIEW_SESSIONS.c.expires_at <= rfc3339(at)))
            connection.execute(insert(REVIEW_SESSIONS).values(**values))

    def of_session(self, digest: str, at: datetime) -> User | None:
        """Return the user of a session that has not ended, None otherwise."""
        return self._of(REVIEW_SESSIONS, digest, at)

    def end_session(self, digest: str) -> None:
        """Forget a session."""
        with self._database.writing() as connection:
            connection.execute(delete(REVIEW_SESSIONS).where(REVIEW_SESSIONS.c.digest == digest))

    def add_token(self, name: str, digest: str, label: str, at: datetime, until: datetime) -> None:
        """Remember a bearer token.

        :param digest: sha256 of the token, hexadecimal.
        :raises ConfigError: for an empty or long label.
        """
        if not label.strip() or len(label) > LONGEST_NAME:
            raise ConfigError(f"A token's label has 1 to {LONGEST_NAME} characters.")
        values = {"digest": digest, "user": name, "label": label.strip()}
        times = {"created_at": rfc3339(at), "expires_at": rfc3339(until)}
        with self._database.writing() as connection:
            connection.execute(insert(REVIEW_TOKENS).values(**values, **times))

    def of_token(self, digest: str, at: datetime) -> User | None:
        """Return the user of a token that has not expired, None otherwise."""
        return self._of(REVIEW_TOKENS, digest, at)

    def tokens(self, name: str) -> list[Token]:
        """Return a user's tokens, the newest first."""
        query = select(REVIEW_TOKENS).where(REVIEW_TOKENS.c.user == name).order_by(REVIEW_TOKENS.c.token.desc())
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [Token(row.token, row.label, row.created_at, row.expires_at) for row in rows]

    def drop_token(self, name: str, token: int) -> None:
        """Forget one of a user's tokens; nothing happens where the user has no such token."""
        with self._database.writing() as connection:
            mine = (REVIEW_TOKENS.c.user == name) & (REVIEW_TOKENS.c.token == token)
            connection.execute(delete(REVIEW_TOKENS).where(mine))

    def record_login(self, user: str | None, *, address: str, via: str, outcome: str, at: datetime) -> None:
        """Write down an attempt to log in; see :class:`LoginRecord`."""
        values = {"user": user, "address": address[:64], "via": via, "outcome": outcome, "at": rfc3339(at)}
        with self._database.writing() as connection:
            connection.execute(insert(REVIEW_LOGINS).values(**values))

    def logins(self, limit: int = 200) -> Sequence[LoginRecord]:
        """Return the latest attempts to log in, the newest first."""
        query = select(REVIEW_LOGINS).order_by(REVIEW_LOGINS.c.login.desc()).limit(limit)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [LoginRecord(row.at, row.user, row.address, row.via, row.outcome) for row in rows]

    def _of(self, table: Table, digest: str, at: datetime) -> User | None:
        joined = REVIEW_USERS.join(table, table.c.user == REVIEW_USERS.c.name)
        valid = (table.c.digest == digest) & (table.c.expires_at > rfc3339(at))
        query = select(REVIEW_USERS).select_from(joined).where(valid, REVIEW_USERS.c.disabled.is_(False))
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _as_user(row)
