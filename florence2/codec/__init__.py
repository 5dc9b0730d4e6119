"""Florence-2's language: task tokens, location bins, answers as text. No torch."""
