"""Gaussian mixtures of embeddings, and pictures sampled from them."""
