"""Helpers that open up a language model: they know torch and transformers, not the course."""
