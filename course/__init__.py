"""The course itself: its lessons, the exercises' graders, and the tools that build and run them."""
