"""ZenML stacks as files: read, compared with what is there, applied."""
