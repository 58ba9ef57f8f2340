"""Language of each comment and of the words in it: Arabic, Persian, English, Arabizi, Finglish, other."""

from feedback_nlp.langid.settings import LangidSettings, LangPrior
from feedback_nlp.langid.stage import LangidStage, open_stage

__all__ = ["LangPrior", "LangidSettings", "LangidStage", "open_stage"]
