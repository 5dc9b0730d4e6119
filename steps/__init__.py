"""One file per step: take sections of the configuration and artifacts, call the library, log, return."""
