"""Lesson 04, parallel streams: what its exercises check."""
