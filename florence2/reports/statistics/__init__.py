"""The statistics of a data set as a page and as terminal tables."""
