"""For the person who teaches: guide, slides, handouts, the site, and what a class found hard."""
