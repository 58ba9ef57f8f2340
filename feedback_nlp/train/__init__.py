"""Fits and evaluates each trainable room and writes its model folder."""
