"""The programming interface under generated requests: no server error, no status or type that its description lacks."""

import re
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from review_clients import log_in
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

from feedback_nlp.config import ReviewSettings
from feedback_nlp.review.app import create_app
from feedback_nlp.store import Store

pytestmark = pytest.mark.slow

HOST = "testserver"
EXAMPLES = 25
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance]


@pytest.fixture
def described(store: Store, tmp_path: Path) -> tuple[Any, dict[str, str]]:
    """Describe the interface to an analyst's program, and give the header that lets it in."""
    app = create_app(store, ReviewSettings(hosts=(HOST,)), tmp_path)
    client = log_in(TestClient(app, base_url=f"http://{HOST}"), "analyst")
    token = re.search(r"fnr_[\w-]{40,}", client.post("/account/tokens", data={"label": "t", "days": "1"}).text)
    assert token is not None
    headers = {"Authorization": f"Bearer {token[0]}"}
    return schemathesis.openapi.from_asgi("/api/openapi.json", app, headers=headers), headers


def test_generated_requests(described: tuple[Any, dict[str, str]]) -> None:
    schema, headers = described
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) >= 9
    for operation in operations:

        @given(case=operation.as_strategy())
        @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
        def ask(case: Any) -> None:
            case.call_and_validate(headers=headers, checks=CHECKS)

        ask()
