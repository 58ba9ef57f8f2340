"""The errors a user can meet, one exit code each.

FeedbackError                 1   anything else we raise on purpose
├── ConflictError             1   somebody else decided on the same topic or comment since
├── ConfigError               2   configuration or usage
├── RejectShareError          3   finished, but more rows rejected than allowed
├── StageContractError        4   a stage broke its promise
├── ModelError                5   a model folder is missing, damaged or of the wrong kind
├── BadDataError             65   an input file cannot be read as what it claims to be
├── MissingInputError        66   an input does not exist
└── LeaseError               75   another run holds the lease
"""

from typing import ClassVar


class FeedbackError(Exception):
    """Base of every error raised on purpose; its message is one clear line for the user.

    :param fault: what went wrong as a code, for pages that tell it in other languages; empty where they need not.
    :param values: what the message speaks of, by name.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str = "", *, fault: str = "", **values: object) -> None:
        super().__init__(message)
        self.fault = fault
        self.values = values


class ConflictError(FeedbackError):
    """Somebody else decided on the same topic or comment after the caller last looked.

    :param newer: the newest decision on it, which the caller has not seen.
    """

    def __init__(self, message: str, newer: object) -> None:
        super().__init__(message)
        self.newer = newer


class ConfigError(FeedbackError):
    """A setting, key or argument is wrong."""

    exit_code = 2


class RejectShareError(FeedbackError):
    """The run finished, but a larger share of rows was rejected than the settings allow."""

    exit_code = 3


class StageContractError(FeedbackError):
    """A stage returned columns it did not promise, or values outside their declaration."""

    exit_code = 4


class ModelError(FeedbackError):
    """A model folder is missing, damaged, or not of the kind that was asked for."""

    exit_code = 5


class BadDataError(FeedbackError):
    """An input file cannot be read as what it claims to be."""

    exit_code = 65


class MissingInputError(FeedbackError):
    """An input does not exist or matches nothing."""

    exit_code = 66


class LeaseError(FeedbackError):
    """Another run is writing to the same store."""

    exit_code = 75
