"""The encoder of embeddings."""
