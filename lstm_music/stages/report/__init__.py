"""The reproduction of the report that this project began with, and the comparison of recipes."""
