"""Lesson 03, decoding: what its exercises check."""
