"""Config: the rooms' settings composed into one frozen, strict value; the only module that sees YAML."""

import hashlib
import json
import os
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from feedback_nlp.core.errors import ConfigError, MissingInputError
from feedback_nlp.core.modelfolder import shipped_root
from feedback_nlp.core.settings import Settings, explain
from feedback_nlp.embed.settings import EmbedSettings
from feedback_nlp.ingest.remote.settings import ConnectSettings
from feedback_nlp.ingest.settings import IngestSettings
from feedback_nlp.langid.settings import LangidSettings
from feedback_nlp.normalise.settings import NormaliseSettings
from feedback_nlp.rootcause.settings import RootCauseSettings
from feedback_nlp.sentiment.settings import SentimentSettings
from feedback_nlp.store.settings import StoreSettings
from feedback_nlp.topics.settings import TopicSettings

ENV_PREFIX = "FEEDBACK_NLP__"
ENV_FILE = "FEEDBACK_NLP_CONFIG"
StageName = Literal["langid", "normalise", "embed", "sentiment", "rootcause", "topics"]
DEFAULT_STAGES: tuple[StageName, ...] = get_args(StageName)


class RunSettings(Settings):
    """How a run is carried out."""

    seed: int = Field(17, ge=0)
    """Seed of everything random; part of the run's identity."""
    threads: int = Field(2, ge=1, le=256)
    """Worker processes for the row-wise stages; never changes a result."""
    executor: Literal["local", "ray"] = "local"
    """Where the row-wise stages run: processes of this machine, or actors of a Ray cluster; never changes a result."""
    ray_address: str | None = None
    """``auto`` or ``ray://host:10001`` of a running cluster; None starts Ray on this machine."""
    chunk_size: int = Field(4096, ge=1, le=1_000_000)
    """Comments worked on and committed together; never changes a result."""
    take_over: bool = True
    """Analyse only comments that are new or changed since the published run of the same settings and models, and keep
    a run's part files for the next; never changes a result."""
    stages: tuple[StageName, ...] = DEFAULT_STAGES
    """Stages in order."""
    topic_model: str | None = None
    """Folder of a topic model that ``classify`` assigns comments to; a run finds topics of its own."""


class ReportSettings(Settings):
    """What the report looks like."""

    language: Literal["en", "ar", "fa"] = "en"
    """Language the report opens in; the reader can switch."""
    topic_level: Literal["theme", "topic", "subtopic"] = "topic"
    """What the section on topics lists: themes, topics, or sub-topics where a topic has any."""


class OidcSettings(Settings):
    """Log-in to the review page by an OpenID Connect provider; off where no issuer is named."""

    issuer: str | None = None
    """Address of the provider, as its discovery document names it."""
    client_id: str = "feedback-nlp"
    """The page's name at the provider; a secret, where it has one, stands in FEEDBACK_NLP_OIDC_SECRET."""
    claim: str = "email"
    """Claim that holds the user's name."""
    role: Literal["viewer", "analyst", "admin"] | None = None
    """Role of users who come for the first time; None lets in only those that were added."""


class ReviewSettings(Settings):
    """How the review page is served."""

    host: str = "127.0.0.1"
    """Address to listen on; another one than this machine's own needs https in front."""
    port: int = Field(8765, ge=0, le=65535)
    """Port to listen on; 0 takes a free one."""
    language: Literal["en", "ar", "fa"] = "en"
    """Language the page opens in; each reader can switch."""
    hosts: tuple[str, ...] = ()
    """Names the page is reached under besides localhost and ``host``; requests for others are refused."""
    https: bool = False
    """Whether readers reach it by https: cookies are then sent that way only."""
    session_hours: int = Field(12, ge=1, le=720)
    """Hours until a user has to log in again."""
    login_attempts: int = Field(5, ge=1, le=100)
    """Wrong passwords for a user, or four times as many from an address, before log-in pauses for 15 minutes."""
    max_body_kb: int = Field(4096, ge=16, le=102_400)
    """Largest request accepted, in KiB."""
    proxies: tuple[str, ...] = ()
    """Addresses of proxies in front, whose word on the reader's address and name counts."""
    proxy_user_header: str | None = None
    """Header in which such a proxy names the logged-in user; None = readers log in here."""
    oidc: OidcSettings = OidcSettings()
    """Log-in by an OpenID Connect provider."""


class LogSettings(Settings):
    """What a run logs: events with counts and timings, never a word of a comment."""

    format: Literal["off", "json", "text"] = "off"
    """``json`` for collectors, one object a line; ``text`` for people; ``off`` logs nothing."""
    file: Path | None = None
    """File to append to, which may be rotated while it is written; null = stderr."""
    level: Literal["debug", "info", "warning", "error"] = "info"
    """Least level logged."""


class OperationsSettings(Settings):
    """What a nightly job tells those who watch it."""

    log: LogSettings = LogSettings()
    """Logs."""
    metrics_file: Path | None = None
    """File for Prometheus's textfile collector, written after each run, also a failed one; null = none."""
    drift_nights: int = Field(7, ge=1, le=365)
    """How many finished runs before this one its mix is compared with, 1 to 365."""


class Config(BaseSettings):
    """The whole configuration; environment variables override what is given.

    ``FEEDBACK_NLP__RUN__THREADS=4`` sets ``run.threads``.
    """

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix=ENV_PREFIX,
        env_nested_delimiter="__",
        use_attribute_docstrings=True,
    )

    version: Literal[1] = 1
    """Version of the configuration's format."""
    run: RunSettings = RunSettings()
    """How a run is carried out."""
    connect: ConnectSettings = ConnectSettings()
    """Databases, object stores and inboxes to read from."""
    ingest: IngestSettings = IngestSettings()
    """Reading dumps."""
    langid: LangidSettings = LangidSettings()
    """Language identification."""
    normalise: NormaliseSettings = NormaliseSettings()
    """Clean text, clauses, personal data."""
    embed: EmbedSettings = EmbedSettings()
    """Meaning vectors."""
    sentiment: SentimentSettings = SentimentSettings()
    """Sentiment of comments and clauses."""
    rootcause: RootCauseSettings = RootCauseSettings()
    """Company policy or employee behaviour, and the other readings."""
    topics: TopicSettings = TopicSettings()
    """Finding and assigning topics."""
    store: StoreSettings = StoreSettings()
    """Where runs are kept."""
    report: ReportSettings = ReportSettings()
    """What the report looks like."""
    operations: OperationsSettings = OperationsSettings()
    """Logs, metrics and drift of nightly jobs."""
    review: ReviewSettings = ReviewSettings()
    """How the review page is served."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment override the file, and read nothing else."""
        return env_settings, init_settings

    @model_validator(mode="before")
    @classmethod
    def _no_unknown_environment(cls, values: Mapping[str, Any]) -> Mapping[str, Any]:
        rooms = {
            key.removeprefix(ENV_PREFIX).split("__")[0].lower() for key in os.environ if key.startswith(ENV_PREFIX)
        }
        unknown = sorted(rooms - set(cls.model_fields))
        if unknown:
            known = ", ".join(cls.model_fields)
            raise ConfigError(f"Environment: {ENV_PREFIX}{unknown[0].upper()}… names no setting. Known: {known}.")
        return values

    def fingerprint(self) -> str:
        """Return the sha256 of all settings that can change a result (not threads, chunks, store, report or review)."""
        aside: dict[str, Any] = {
            "connect": True,
            "operations": True,
            "store": True,
            "report": True,
            "review": True,
            "run": {"threads", "chunk_size", "executor", "ray_address", "take_over"},
        }
        content = self.model_dump(mode="json", exclude=aside)
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _read_yaml(path: Path) -> dict[str, Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    if not path.is_file():
        raise MissingInputError(f"Configuration {path} does not exist.")
    try:
        content = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except (YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not readable as YAML: {error}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"{path} must hold a mapping of settings, found {type(content).__name__}.")
    return content


def load_config(path: str | Path | None = None, **changes: Any) -> Config:  # noqa: ANN401 - values of any setting
    """Load a configuration.

    :param path: a YAML file, or a name of a shipped one such as ``nightly``; None takes ``FEEDBACK_NLP_CONFIG`` or,
        where that is not set, the defaults.
    :param changes: settings by dotted key with ``__`` for the dot (``run__threads=1``); they win over the file.
    :raises ConfigError: listing every fault at once.
    :raises MissingInputError: when the file does not exist.
    """
    chosen = path or os.environ.get(ENV_FILE) or None
    content: dict[str, Any] = {}
    where = "The configuration"
    if chosen is not None:
        file = Path(chosen)
        shipped = shipped_root("configs") / f"{chosen}.yaml"
        file = shipped if not file.exists() and shipped.is_file() else file
        content, where = _read_yaml(file), str(file)
    for key, value in changes.items():
        *rooms, last = key.split("__")
        target = content
        for room in rooms:
            target = target.setdefault(room, {})
        target[last] = value
    try:
        return Config(**content)
    except ValidationError as error:
        raise explain(error, Config, where) from error


def render_config(config: Config) -> str:
    """Return a configuration as YAML with every key, its value and its meaning."""
    lines = ["# Every setting with its value. Unknown keys are refused.", f"version: {config.version}"]
    for name, field in Config.model_fields.items():
        value = getattr(config, name)
        if isinstance(value, Settings):
            lines += ["", f"# {field.description}", f"{name}:"]
            lines += _render_settings(value, "  ")
    return "\n".join(lines) + "\n"


def _render_settings(settings: Settings, indent: str) -> list[str]:
    lines = []
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        meaning = " ".join((field.description or "").split())
        lines += textwrap.wrap(meaning, 120, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ")
        if isinstance(value, Settings):
            lines.append(f"{indent}{name}:")
            lines += _render_settings(value, indent + "  ")
        else:
            dumped = settings.model_dump(mode="json", include={name})[name]
            lines.append(f"{indent}{name}: {json.dumps(dumped, ensure_ascii=False)}")
    return lines


if __name__ == "__main__":
    import sys

    sys.stdout.write(render_config(Config()))
