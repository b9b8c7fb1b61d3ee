"""A class on one machine, or on many: a JupyterHub for the course.  en/README.md says how."""
