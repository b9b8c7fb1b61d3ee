"""Lesson 07, attention: what its exercises check."""
