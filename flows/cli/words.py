"""Small words for sentences: numbers with their nouns, and capitals."""


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Write `1 piece`, `2 pieces`, `1,200 pieces`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def capital(sentence: str) -> str:
    """Write the first letter of a sentence as a capital, and leave the others."""
    return sentence[:1].upper() + sentence[1:]
