"""One command for each score and image that README or docs publish."""
