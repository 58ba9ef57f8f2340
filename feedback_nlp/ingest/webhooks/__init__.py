"""Webhooks: survey tools post answers, which wait in an inbox for the next run."""
