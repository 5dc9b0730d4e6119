"""From images and prompts to answers with scores."""
