"""From promoted models to what a person opens: prompts, candidates, reference, copies and the page."""
