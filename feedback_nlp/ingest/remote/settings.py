"""Settings of inputs that are not files on this machine."""

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from feedback_nlp.core.settings import Settings
from feedback_nlp.ingest.webhooks.settings import WebhookSettings


def _without_password(url: str) -> str:
    """Refuse an address that carries a secret: it would stand in configuration files and dumps of them."""
    if urlsplit(url).password:
        raise ValueError("must not hold a password; name it with password_env or password_file")
    return url


class SqlSource(Settings):
    """Rows of a database, read by one query."""

    kind: Literal["sql"] = "sql"
    """A database."""
    url: str
    """SQLAlchemy address without a password: ``postgresql+psycopg://reader@host/crm``, ``sqlite:////data/crm.db``."""
    query: str = Field(min_length=1)
    """One SELECT; its columns are mapped as a file's are."""
    password_env: str | None = None
    """Environment variable that holds the password."""
    password_file: Path | None = None
    """File whose first line is the password, readable by its owner alone."""
    batch_rows: int = Field(2000, ge=1, le=100_000)
    """Rows fetched from the server at a time, 1 to 100,000."""

    _no_secret = field_validator("url")(_without_password)

    @model_validator(mode="after")
    def _one_password(self) -> "SqlSource":
        if self.password_env and self.password_file:
            raise ValueError("takes password_env or password_file, not both")
        return self


class StorageSource(Settings):
    """Files of an object store or server that fsspec knows."""

    kind: Literal["storage"] = "storage"
    """An object store or file server."""
    url: str
    """Address of a file, a folder or a glob: ``s3://bucket/dumps/*.csv``, ``gs://…``, ``sftp://…``, ``https://…``."""
    options: dict[str, str | int | bool] = Field(default_factory=dict)
    """Options of the file system as fsspec takes them, none of them secret: ``{endpoint_url: "https://minio:9000"}``."""
    options_env: dict[str, str] = Field(default_factory=dict)
    """Secret options by the environment variable that holds each: ``{key: MINIO_KEY, secret: MINIO_SECRET}``."""

    _no_secret = field_validator("url")(_without_password)


Source = Annotated[SqlSource | StorageSource, Field(discriminator="kind")]


class ConnectSettings(Settings):
    """Where inputs come from that are not files on this machine; never changes how a comment is read."""

    sources: dict[str, Source] = Field(default_factory=dict)
    """Databases and object stores by name; ``feedback-nlp run @name`` reads one."""
    attempts: int = Field(4, ge=1, le=20)
    """How often a transfer is tried before the run gives up, 1 to 20."""
    wait_seconds: float = Field(1.0, ge=0, le=300)
    """Wait before the second attempt, in seconds; doubled before each further one."""
    settle_seconds: float = Field(10.0, ge=0, le=3600)
    """With ``--archive``: a file changed more recently than this is still being written, and waits for the next run."""
    webhooks: WebhookSettings = WebhookSettings()
    """What ``feedback-nlp receive`` takes."""

    @field_validator("sources")
    @classmethod
    def _plain_names(cls, value: dict[str, Source]) -> dict[str, Source]:
        for name in value:
            if not name.replace("-", "").replace("_", "").isalnum() or not name.isascii():
                raise ValueError(f"name '{name}' may hold ASCII letters, digits, - and _ only")
        return value
