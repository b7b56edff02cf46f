"""Packed pictures, weights, provenance, sheets."""
