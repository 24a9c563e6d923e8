"""Which texts hold something that identifies a person (T8): e-mail addresses, telephone, card and account numbers.

What has a form of its own is looked for anywhere inside a text. Bare digits, dates, timestamps, UUIDs, versions, IP
addresses and ranges have none of these forms: a number counts as a telephone number only where it is written as one.
"""

from __future__ import annotations

import re
import unicodedata

_AT = re.compile(
    r"""[\w.!#$%&'*+/=?^`{|}~"-](?:@|%40)"""
    r"(?![1-9]x\.(?:png|jpe?g|gif|svg|webp))"  # images for dense screens: icon@2x.png
    r"(?:(?:[\w-]+\.)+[^\W\d_]{2}|\[[0-9a-fA-F.:]{3,}\])"
)
_LEAST_ADDRESS = len("a@b.cc")
# Most texts of many digits are one of these, lower case and all: nothing below is found in them.
_HARMLESS = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:[0-9]{2})?)?"
    r"|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
# Eight digits with little between them: below that is nothing that the patterns for numbers could find.
_SOME_DIGITS = re.compile(r"[0-9](?:[^0-9]{0,4}[0-9]){7}")
_GAP = "[ ./()\u2010-\u2015\u2212\u30fc-]"  # the last two: minus, and the long vowel mark that Japanese typing gives
_WIDE_GAP = f"(?: ?{_GAP} ?)"
# ASCII: in Japanese nothing parts a number from the words around it.
_SOCIAL_SECURITY = re.compile(r"(?<![\w-])[0-9]{3}-[0-9]{2}-[0-9]{4}(?![\w-])", re.ASCII)
_CARD = re.compile(
    r"(?<![\w.-])(?:"
    r"[2-6][0-9]{3}(?P<gap>[ -])[0-9]{4}(?P=gap)[0-9]{4}(?P=gap)[0-9]{1,7}"
    r"|3[47][0-9]{2}(?P<gap_of_15>[ -])[0-9]{6}(?P=gap_of_15)[0-9]{5}"
    r"|[3-6][0-9]{15}"
    r")(?!\w|[.-][0-9])",
    re.ASCII,
)
_ACCOUNT = re.compile(r"(?<!\w)[A-Z]{2}[0-9]{2}(?:[ -]?[A-Z0-9]){11,30}", re.ASCII)
_ACCOUNTS = """
    AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20
    EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30
    KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23
    PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26
    UA29 VA22 VG24 XK20 YE30
"""
_ACCOUNT_LENGTHS = {entry[:2]: int(entry[2:]) for entry in _ACCOUNTS.split()}
_INTERNATIONAL = re.compile(
    rf"(?<![\w+])\+ ?[1-9](?:{_GAP}{{0,3}}[0-9]){{7,14}}(?![0-9])"
    rf"|(?<![\w.+-])(?<![0-9] )00[1-9][0-9]{{0,2}}[ /(](?:{_GAP}{{0,3}}[0-9]){{7,12}}(?![0-9])",
    re.ASCII,
)
_NORTH_AMERICAN = re.compile(
    r"(?<![\w.+-])(?:1[ .-])?(?:"
    r"\([2-9][0-9]{2}\) ?[0-9]{3}[ .-][0-9]{4}"
    r"|[2-9][0-9]{2}(?P<gap>[.-])[0-9]{3}(?P=gap)[0-9]{4}"
    r"|(?<![0-9] )[2-9][0-9]{2} [0-9]{3}[ -][0-9]{4}(?! [0-9])"
    r")(?!\w|[.-][0-9])",
    re.ASCII,
)
_NATIONAL = re.compile(
    rf"(?<![\w.+/-])(?<![0-9] )(?:"
    rf"(?:\(0[1-9][0-9]{{0,3}}\) ?|0[1-9][0-9]{{0,3}}{_WIDE_GAP})(?:[0-9]{{2,8}}{_WIDE_GAP}){{0,3}}[0-9]{{3,8}}"
    rf"|0[1-9](?:{_GAP}[0-9]{{2}}){{4}}"
    rf")(?!\w|{_WIDE_GAP}[0-9])",
    re.ASCII,
)
_NATIONAL_DIGITS = range(9, 12)
_DECIMAL = re.compile(r"\+? ?[0-9]+\.[0-9]+")


def likeness(text: str) -> str | None:
    """Say what a text looks like, or holds: `an e-mail address` …; None where nothing in it identifies a person."""
    if len(text) < _LEAST_ADDRESS and text.isascii():
        return None
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)  # full-width digits and signs are the same to a reader
    if ("@" in text or "%40" in text) and _AT.search(text):
        return "an e-mail address"
    return _likeness_of_number(text) if _SOME_DIGITS.search(text) and not _HARMLESS.fullmatch(text) else None


def likeness_of_label(text: str) -> str | None:
    """Say what a user's label looks like. Fewer forms than in `likeness`: labels are codes, with hyphens and digits."""
    found = likeness(text)
    if found == "a telephone number" and not _is_international(unicodedata.normalize("NFKC", text)):
        return None
    return found


def _likeness_of_number(text: str) -> str | None:
    if _SOCIAL_SECURITY.search(text):
        return "a social security number"
    if any(_has_check_digit(match[0]) for match in _CARD.finditer(text)):
        return "a payment card's number"
    if any(_is_account(match[0]) for match in _ACCOUNT.finditer(text)):
        return "a bank account's number"
    if _is_international(text) or _NORTH_AMERICAN.search(text) or _is_national(text):
        return "a telephone number"
    return None


def _is_international(text: str) -> bool:
    return any(not _DECIMAL.fullmatch(match[0]) for match in _INTERNATIONAL.finditer(text))


def _is_national(text: str) -> bool:
    return any(
        sum(map(str.isdigit, match[0])) in _NATIONAL_DIGITS and not _DECIMAL.fullmatch(match[0])
        for match in _NATIONAL.finditer(text)
    )


def _has_check_digit(text: str) -> bool:
    """Check a card number by Luhn's formula."""
    digits = [int(character) for character in reversed(text) if character.isdigit()]
    return sum(digits[::2] + [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]) % 10 == 0


def _is_account(text: str) -> bool:
    """Check an IBAN by its country's length and its remainder by 97; what follows it in the text doesn't matter."""
    account = re.sub("[ -]", "", text)
    length = _ACCOUNT_LENGTHS.get(account[:2])
    if length is None or len(account) < length:
        return False
    turned = account[4:length] + account[:4]
    return int("".join(str(int(character, 36)) for character in turned)) % 97 == 1
