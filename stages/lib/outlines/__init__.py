"""Outlines of pictures."""
