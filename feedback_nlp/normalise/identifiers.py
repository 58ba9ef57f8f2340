"""Checks of numbers that carry their own proof: bank cards, IBANs, Iranian and Saudi identity numbers."""

import re
from collections.abc import Iterator

_IBAN_LENGTHS = {
    "AE": 23, "AT": 20, "AZ": 28, "BE": 16, "BH": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EG": 29,
    "ES": 24, "FI": 18, "FR": 27, "GB": 22, "GE": 22, "GR": 27, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IR": 26,
    "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LU": 20, "LY": 25, "MR": 27, "NL": 18, "NO": 15, "OM": 23,
    "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "SA": 24, "SD": 18, "SE": 24, "TN": 24, "TR": 26,
}  # fmt: skip
_IBAN_HEAD = re.compile(r"(?<![A-Za-z0-9])([A-Za-z]{2})[ -]?[0-9]{2}")
_IBAN_NEXT = re.compile("[ -]{0,2}([A-Za-z0-9])")
_MISTYPED = re.compile("[A-Z]{2}[0-9]{20,}")
_BARE_IRANIAN_IBAN = re.compile("(?<![0-9A-Za-z])[0-9]{24}(?![0-9A-Za-z])")
CARD = re.compile(
    r"(?<![0-9A-Za-z])(?<![0-9][ -])"
    r"(?:[2-9][0-9]{3}(?:[ ._-]{0,3}[0-9]{4}){3}|3[47][0-9]{2}[ -]?[0-9]{6}[ -]?[0-9]{5})(?![ -]?[0-9])"
)
_TEN = 10


def passes_luhn(digits: str) -> bool:
    """Tell whether digits end in their Luhn check digit (ISO/IEC 7812), as bank cards and Saudi identities do."""
    doubled = (int(digit) * (2 if at % 2 else 1) for at, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def is_iban(letters: str) -> bool:
    """Tell whether letters and digits without blanks are a valid IBAN (ISO 13616, check by modulo 97)."""
    upper = letters.upper()
    if _IBAN_LENGTHS.get(upper[:2]) != len(upper) or not upper.isalnum():
        return False
    return int("".join(str(int(char, 36)) for char in upper[4:] + upper[:4])) % 97 == 1


def is_iranian_id(digits: str) -> bool:
    """Tell whether ten digits are a valid Iranian national code."""
    if len(digits) != _TEN or len(set(digits)) == 1:
        return False
    rest = sum(int(digit) * (10 - at) for at, digit in enumerate(digits[:9])) % 11
    return int(digits[9]) == (rest if rest < 2 else 11 - rest)


def is_saudi_id(digits: str) -> bool:
    """Tell whether ten digits are a valid Saudi identity (1…) or residence number (2…)."""
    return len(digits) == _TEN and digits[0] in "12" and passes_luhn(digits)


def find_ibans(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of IBANs, blanks and hyphens inside allowed; digits must be ASCII.

    One whose check fails counts, too, when it is a capital country code with just as many digits as that country's:
    a slip of the pen does not make it anything else.
    """
    for head in _IBAN_HEAD.finditer(text):
        length = _IBAN_LENGTHS.get(head.group(1).upper())
        letters = [*head.group(1), *head.group()[-2:]]
        end = head.end()
        while length and len(letters) < length and (step := _IBAN_NEXT.match(text, end)):
            letters.append(step.group(1))
            end = step.end()
        whole = "".join(letters)
        if (
            len(whole) == length
            and not text[end : end + 1].isdigit()
            and (is_iban(whole) or _MISTYPED.fullmatch(whole))
        ):
            yield head.start(), end
    for match in _BARE_IRANIAN_IBAN.finditer(text):
        if is_iban(f"IR{match.group()}"):
            yield match.span()
