"""``python -m feedback_nlp`` is ``feedback-nlp``."""

from feedback_nlp.cli.app import main

if __name__ == "__main__":
    main()
