"""What a data set looks like in numbers, and how much it differs from another one."""
