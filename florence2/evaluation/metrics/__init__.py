"""One module for each kind of metric, and the list of all metrics in ``registry``."""
