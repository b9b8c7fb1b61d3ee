"""A class on one machine, or on many: a JupyterHub that serves the course.  README.md says how."""
