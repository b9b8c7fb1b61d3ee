"""The machine the course runs on: what is on it, what it has room for, and how it is opened."""
