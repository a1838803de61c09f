"""Words that no dictionary holds: how they may sound (ARPAbet), by rules about letters; numbers as they are said."""

import re

RULES = (  # longest first
    ("tion", "SH AH N"), ("sion", "ZH AH N"), ("ough", "AO"), ("augh", "AO"), ("eigh", "EY"), ("igh", "AY"),
    ("tch", "CH"), ("sch", "SH"), ("dge", "JH"), ("ch", "CH"), ("sh", "SH"), ("th", "TH"), ("ph", "F"), ("gh", "G"),
    ("wh", "W"), ("ck", "K"), ("ng", "NG"), ("qu", "K W"), ("kn", "N"), ("wr", "R"), ("ee", "IY"), ("ea", "IY"),
    ("oo", "UW"), ("ou", "AW"), ("ow", "OW"), ("oa", "OW"), ("oi", "OY"), ("oy", "OY"), ("ai", "EY"), ("ay", "EY"),
    ("au", "AO"), ("aw", "AO"), ("ei", "EY"), ("ey", "IY"), ("ie", "IY"), ("ew", "Y UW"), ("ue", "UW"), ("er", "ER"),
    ("ir", "ER"), ("ur", "ER"), ("ar", "AA R"), ("or", "AO R"), ("a", "AE"), ("b", "B"), ("c", "K"), ("d", "D"),
    ("e", "EH"), ("f", "F"), ("g", "G"), ("h", "HH"), ("i", "IH"), ("j", "JH"), ("k", "K"), ("l", "L"), ("m", "M"),
    ("n", "N"), ("o", "AA"), ("p", "P"), ("q", "K"), ("r", "R"), ("s", "S"), ("t", "T"), ("u", "AH"), ("v", "V"),
    ("w", "W"), ("x", "K S"), ("y", "IY"), ("z", "Z"),
)  # fmt: skip
ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()  # noqa: E501, SIM905 - a list of words reads best as a sentence
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
LARGEST = 999_999


def sounds(word: str) -> list[str]:
    """Phones of a word in lower case; a final e is silent, doubled consonants sound once."""
    text = re.sub(r"([bcdfghjklmnpqrstvwxz])\1", r"\1", word.replace("'", ""))
    if len(text) > 3 and text.endswith("e") and text[-2] not in "aeiou":
        text = text[:-1]
    found: list[str] = []
    while text:
        letters, phones = next(((a, b) for a, b in RULES if text.startswith(a)), (text[0], ""))
        found += phones.split()
        text = text[len(letters) :]
    return found or ["AH"]


def said_numbers(text: str) -> str:
    """Text with whole numbers in words."""
    text = text.replace("%", " percent").replace("&", " and ")
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    return re.sub(r"\d+", lambda m: f" {_said(int(m[0]), m[0])} ", text).strip()


def _said(number: int, digits: str) -> str:
    if number > LARGEST or (len(digits) > 1 and digits[0] == "0"):
        return " ".join(ONES[int(d)] for d in digits)
    if number < 20:
        return ONES[number]
    if number < 100:
        return f"{TENS[number // 10]} {ONES[number % 10] if number % 10 else ''}".strip()
    if number < 1000:
        rest = f" {_said(number % 100, '')}" if number % 100 else ""
        return f"{ONES[number // 100]} hundred{rest}"
    rest = f" {_said(number % 1000, '')}" if number % 1000 else ""
    return f"{_said(number // 1000, '')} thousand{rest}"
