"""What a framework is agreed to be: terms, who takes part, lots, reviews, and the pages that set them up."""
