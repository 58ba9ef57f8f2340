"""The version, in one place; it is part of a run's identity."""

__version__ = "0.1.0"
