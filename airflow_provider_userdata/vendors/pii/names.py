"""Which fields are named for something that identifies a person (T8): an e-mail address, a name, a date of birth.

A name is read as words, whatever its style: `firstName`, `first_name`, `First-Name` and `firstname` are one. What it is
named for stands at its end, as in English: `contact_email` is an address, `email_count` a count. So `device_name` is no
person's name, and neither is the `name` in `{"device": {"name": …}}`, for the field above is read along with it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """What a field can be named for.

    :param thing: as it stands in a reason.
    :param digits: a number of at least that many digits can be one; None if no number can.
    :param text_digits: a text with fewer digits can't be one (a `phone` may be a model's name).
    :param whole: an object of that name is one as a whole, whatever its fields are called.
    """

    thing: str
    digits: int | None = None
    text_digits: int = 0
    whole: bool = True

    @property
    def reason(self) -> str:
        """Why a field of that name is refused."""
        return f"is named for {self.thing}"

    def fits_text(self, text: str) -> bool:
        """Return whether a text of that name can be one. A text of digits counts as a number."""
        if text.isdecimal():
            return self.digits is not None and len(text) >= self.digits
        if self.text_digits:
            return sum(map(str.isdecimal, text)) >= self.text_digits
        return any(map(str.isalnum, text))

    def fits_number(self, number: float) -> bool:
        """Return whether a number of that name can be one."""
        return self.digits is not None and abs(number) >= 10 ** (self.digits - 1)


_EMAIL = Kind("an e-mail address", whole=False)
_TELEPHONE = Kind("a telephone number", digits=7, text_digits=6, whole=False)
_PERSON = Kind("a person's name")
_BARE_NAME = Kind("a person's name", whole=False)
_ADDRESS = Kind("an address")
_POSTCODE = Kind("a postcode", digits=4)
_BIRTH = Kind("a date of birth", digits=6)
_NATIONAL = Kind("a national or personal number", digits=6)
_BANK = Kind("a payment card or bank account", digits=8)

# Words written together and accents off; an English plural's ending may follow, and a name in Japanese may end in one.
_ENTRIES = {
    _EMAIL: """
        email mail emailaddress mailaddress emailadresse mailadresse adresseemail adressemail adresseelectronique
        courriel correo correoelectronico メール メールアドレス
    """,
    _TELEPHONE: """
        phone telephone tel mobile cell cellphone cellular fax telefax msisdn whatsapp contactnumber mobilenumber
        cellnumber telefon telefonnummer handy handynummer mobilnummer portable telefono movil celular
        numerodetelephone numerodetelefono 電話 電話番号 携帯 携帯番号
    """,
    _PERSON: """
        firstname lastname middlename fullname givenname familyname maidenname surname forename displayname nickname
        realname legalname preferredname birthname christianname fname lname namefirst namelast namemiddle namefull
        namegiven namefamily vorname nachname familienname geburtsname prenom nomdefamille nomcomplet nomdenaissance
        apellido primerapellido segundoapellido nombrecompleto nombredepila primernombre cognome sobrenome voornaam
        achternaam 氏名 名前 苗字 名字 姓名 ふりがな フリガナ
    """,
    _BARE_NAME: "name nom nombre nome 姓 名 氏",
    _ADDRESS: """
        address street streetname streetnumber housenumber ip ipaddr macaddr adresse adressepostale anschrift strasse
        hausnummer rue direccion direccionpostal domicilio calle indirizzo endereco 住所 番地
    """,
    _POSTCODE: "postcode postalcode zip zipcode plz postleitzahl codepostal codigopostal 郵便番号",
    _BIRTH: """
        dob birthdate dateofbirth datebirth birthday bday geburtsdatum geburtstag datedenaissance fechadenacimiento
        fechanacimiento datadinascita datadenascimento 生年月日 誕生日
    """,
    _NATIONAL: """
        ssn socialsecurity socialinsurance nino nationalinsurance nhsnumber nhsno passport drivinglicence drivinglicense
        driverlicence driverlicense driverslicence driverslicense taxid taxnumber taxpayerid nationalid nationalnumber
        nationalidentity personalidentity identitycard idcard mrn medicalrecordnumber healthinsurancenumber personnummer
        codicefiscale mynumber dni nif cpf curp aadhaar bsn pesel steuerid steuernummer sozialversicherungsnummer
        ausweisnummer personalausweis reisepass securitesociale マイナンバー 個人番号
    """,
    _BANK: """
        creditcard debitcard cardnumber ccnumber iban bankaccount accountnumber sortcode routingnumber cvv cvc
        kontonummer cuentabancaria 口座番号 カード番号
    """,
}


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# After what a field is named for these change nothing: `phone_number`, `email_work`, `address_line_1`.
_QUALIFIERS = _set("""
    number no nr num line value str string full raw formatted plain primary secondary main alternate alternative other
    home work office business private personal hash hashed md5 sha encrypted kana katakana hiragana romaji kanji
    カナ かな 漢字 ローマ字
""")
# Before it these make it something else: `is_mobile`, `count_addresses`.
_FLAGS = _set("is has had count num total")
# A `name` of one of these, or in one, is a person's.
_PEOPLE = _set("""
    user person people personal patient customer client member contact participant employee subject author owner holder
    cardholder father mother spouse partner husband wife guardian parent child children kid son daughter sibling brother
    sister friend relative kin emergency doctor physician nurse therapist clinician gp caregiver carer teacher student
    athlete player respondent interviewee sender recipient applicant candidate resident visitor guest identity
    individual demographic me self
""")
# These say nothing about what they hold.
_CONTAINERS = _set("data record profile info information detail attribute property properties field")
_LONGEST_RUN = 4
_WORD = re.compile(r"[^\W\d_]+|[0-9]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_ACCENTS = re.compile("[\u0300-\u036f]")


def kind_of(above: str, name: str) -> Kind | None:
    """Return what a field's name stands for, if it identifies a person.

    :param above: the name of the field that holds it, or `""` for a field of the record itself.
    """
    own = _words(name)
    if not own or own[0] in _FLAGS or own[:2] == ["number", "of"] or own[-2:] == ["user", "name"]:
        return None
    holder = _words(above)
    while holder and _singular(holder[-1]) in _CONTAINERS:
        holder.pop()
    words = holder + own
    for end in range(len(words), 0, -1):
        kind = _kind_at(words[:end])
        if kind is not None:
            return kind
        if not (words[end - 1] in _QUALIFIERS or words[end - 1].isdigit()):
            return None
    return None


def _kind_at(words: list[str]) -> Kind | None:
    """Return what the last words stand for; the longest entry decides."""
    for length in range(min(_LONGEST_RUN, len(words)), 0, -1):
        kind = _entry("".join(words[-length:]))
        if kind is _BARE_NAME:
            return kind if len(words) == 1 or _singular(words[-2]) in _PEOPLE else None
        if kind is not None:
            return kind
    return None


def _entry(text: str) -> Kind | None:
    for form in (text, text.removesuffix("s"), text.removesuffix("es")):
        if form in _KINDS:
            return _KINDS[form]
    return next((kind for ending, kind in _ENDINGS if text.endswith(ending)), None)


def _words(name: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", _ACCENTS.sub("", unicodedata.normalize("NFKD", name)))
    return [word.casefold() for word in _WORD.findall(_HUMP.sub(" ", plain))]


def _singular(word: str) -> str:
    return word if word in _PEOPLE else word.removesuffix("s")


_KINDS = {"".join(_words(entry)): kind for kind, entries in _ENTRIES.items() for entry in entries.split()}
_ENDINGS = tuple((entry, kind) for entry, kind in _KINDS.items() if len(entry) > 1 and not entry.isascii())
