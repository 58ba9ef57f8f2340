"""The analysts' review page: topics, comments and decisions in a browser, served from the store."""
