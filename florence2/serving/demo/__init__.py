"""A web page on which models are tried: drop an image, choose a task, see the answers."""
