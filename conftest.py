"""Whoever runs pytest is not learning: no notebook that it runs counts as progress.

It stands up here so that `pytest --nbval chapters` finds it, too; kernels are started with it.
"""

import os

os.environ["COURSE_LEARNER"] = "off"
# What notebooks have saved was computed on a CPU, and is compared on a machine with a GPU, too.
os.environ.setdefault("COURSE_DEVICE", "cpu")
