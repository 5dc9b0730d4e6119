"""ZenML stacks as files: read, compared with what exists, applied."""
