import logging

import pytest

from feedback_nlp.cli.logs import configure_logs
from feedback_nlp.config import LogSettings
from feedback_nlp.core.errors import ConfigError


@pytest.fixture(autouse=True)
def _restore():
    logger = logging.getLogger("feedback_nlp")
    before = logger.handlers[:], logger.propagate, logger.level
    yield
    for handler in logger.handlers:
        handler.close()
    logger.handlers[:], logger.propagate, level = before
    logger.setLevel(level)


def test_nothing_is_logged_by_default(capfd):
    configure_logs(LogSettings())
    logging.getLogger("feedback_nlp.x").error("event")
    assert capfd.readouterr() == ("", "")


def test_text_goes_to_stderr_from_its_level_on(capfd):
    configure_logs(LogSettings(format="text", level="warning"))
    logging.getLogger("feedback_nlp.x").info("quiet")
    logging.getLogger("feedback_nlp.x").warning("loud", extra={"rows": 3})
    logging.getLogger("somebody_else").warning("their words")
    out, err = capfd.readouterr()
    assert out == ""
    assert "loud" in err
    assert "rows=3" in err
    assert "quiet" not in err


def test_a_rotated_file_is_written_anew(tmp_path):
    file = tmp_path / "log" / "run.log"
    configure_logs(LogSettings(format="json", file=file))
    logging.getLogger("feedback_nlp").info("first")
    file.rename(tmp_path / "log" / "run.log.1")
    logging.getLogger("feedback_nlp").info("second")
    assert '"event": "second"' in file.read_text()


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"operations\.log\.file"):
        configure_logs(LogSettings(format="json", file=tmp_path))
