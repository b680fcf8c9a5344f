"""What a person opens: audio, pictures, sheet music and pages."""
