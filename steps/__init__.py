"""One file per step: take a section of the configuration and artifacts, call the library, log, return."""
