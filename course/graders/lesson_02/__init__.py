"""Lesson 02, the components: what its exercises check."""
