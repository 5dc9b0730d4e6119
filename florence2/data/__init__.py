"""From a folder of images and annotations to a checked, split manifest. No torch."""
