"""Lesson 06, the transformer block: what its exercises check."""
