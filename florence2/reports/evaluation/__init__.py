"""The report as one self-contained HTML page: it loads no script, no font and no image from elsewhere."""
