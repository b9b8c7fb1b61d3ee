"""The figures of the course, measured on this machine: `make bench`."""
