"""For the person who teaches: guide, slides, handouts, and what a class found hard."""
