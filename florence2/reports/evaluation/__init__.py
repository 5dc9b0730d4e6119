"""The report as one HTML page that needs nothing besides itself: no script, no font, no image from elsewhere."""
