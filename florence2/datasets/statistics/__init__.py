"""A data set in numbers, and how much it differs from another one."""
