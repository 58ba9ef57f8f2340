"""One file for each way to judge languages."""
