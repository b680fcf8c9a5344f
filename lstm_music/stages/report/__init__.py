"""The report that this project began with, reproduced: its experiments and what came of them."""
