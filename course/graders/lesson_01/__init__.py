"""Lesson 01, the generation loop: what its exercises check."""
