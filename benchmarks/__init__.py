"""One command for each figure and picture that README or docs publish."""
