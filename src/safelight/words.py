"""Small parts of sentences that several places say."""


def many(count: int, one: str, more: str | None = None) -> str:
    """`1 photo`, `2,014 photos`."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"
