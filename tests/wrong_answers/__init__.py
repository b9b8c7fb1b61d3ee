"""How learners get each exercise wrong, and other ways to get it right, one module a lesson."""
