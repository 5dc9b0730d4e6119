"""Where a data set comes from: folders, archives, URIs, and how they arrive safely."""
