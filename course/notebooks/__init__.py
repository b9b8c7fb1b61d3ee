"""From a lesson to its four notebooks, and back to how a notebook came."""
