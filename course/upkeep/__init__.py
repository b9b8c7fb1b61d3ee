"""For those who look after the course: translations and pinned versions."""
