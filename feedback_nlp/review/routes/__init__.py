"""The page's addresses, one module a subject."""
