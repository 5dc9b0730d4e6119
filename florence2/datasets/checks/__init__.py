"""What is checked: views of a manifest, and the rules about the columns of each."""
