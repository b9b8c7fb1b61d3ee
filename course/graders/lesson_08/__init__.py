"""Lesson 08, rebuild: what its exercises check."""
