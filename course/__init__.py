"""The course itself: its lessons, the exercises' graders, and the tools that build and run them.

What a notebook's cell imports stands at the top of this folder; all else in a wing of its own.
"""

from pathlib import Path

ROOT = Path(__file__).parent.parent
"""The folder of the whole course, with chapters/, solutions/ and a learner's my_course/ in it."""
