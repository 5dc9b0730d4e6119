"""A page to try models on: drop an image, choose a task, see what is answered."""
