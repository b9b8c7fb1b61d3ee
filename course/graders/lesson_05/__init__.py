"""Lesson 05, the key-value cache: what its exercises check."""
