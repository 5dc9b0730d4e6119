"""Image files: what they are, how they are opened, drawn upon, and found to be alike."""
