"""Small parts of sentences that several places say."""


def many(count: int, one: str, more: str | None = None) -> str:
    """`1 photo`, `2,014 photos`."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"


def printable(text: str) -> str:
    """Text as it can be shown: control characters, marks that turn the reading direction, and broken bytes as
    escapes."""
    plain = text.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in plain)


def lasting(seconds: float) -> str:
    """A length as people say it: `0.4 s`, then to the second, `0:07`, `1:02:03`."""
    if seconds < 1:
        return f"{seconds:.1f} s"
    whole = int(seconds + 0.5)
    minutes = f"{whole // 60 % 60:02d}" if whole >= 3600 else f"{whole // 60}"
    return (f"{whole // 3600}:" if whole >= 3600 else "") + f"{minutes}:{whole % 60:02d}"
