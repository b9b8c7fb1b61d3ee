"""The class view: where the class is stuck, and on what, while it is still in the room."""
