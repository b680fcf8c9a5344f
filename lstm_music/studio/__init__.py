"""The composing page: one HTML file that holds trained models and makes music with them, in the browser and offline."""
