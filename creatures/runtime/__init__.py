"""Errors, signals, typed parameters, atomic files, progress."""
