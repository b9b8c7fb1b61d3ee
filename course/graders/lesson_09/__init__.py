"""Lesson 09, beyond the ceiling: what its exercises check."""
