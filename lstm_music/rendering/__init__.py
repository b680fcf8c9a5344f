"""Generated music to listen to and look at: audio, pictures, sheet music and pages."""
