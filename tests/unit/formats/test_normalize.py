import subprocess
import sys
import unicodedata
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit.errors import DomainError
from privkit.formats import unicode14
from privkit.formats.normalize import NORMALIZATIONS, normalize, resolve
from tests.canaries import EMAIL, PHONE, TEXT
from tests.needs import REPOSITORY

CODE_POINTS = 0x110000
SURROGATES = range(0xD800, 0xE000)
FRAMES = {
    "text@1": ("{}", "a{}b", " {}"),
    "name@1": ("{}", "a{}b", " {}"),
    "email@1": ("a{}b@example.org", "a@{}.org"),
    "phone@1": ("+49 30{} 1234567", "{}0049301234567"),
}
"""Where a character is put to see what a normalization makes of it."""


@cache
def points_of(table):
    """
    The code points of one of the shipped tables.
    """
    points = set()
    for run in getattr(unicode14, table).split():
        first, _, last = run.partition("-")
        points.update(range(int(first, 16), int(last or first, 16) + 1))
    return points


def failures_at(points):
    """
    Names of normalizations whose normal form of some text is not its own normal form.
    """
    failures = set()
    for point in points:
        for name, frames in FRAMES.items():
            for frame in frames:
                try:
                    once = normalize(frame.format(chr(point)), name)
                except DomainError:
                    continue
                if normalize(once, name) != once:
                    failures.add((name, frame, f"{point:04x}"))
    return failures


class TestIdempotence:
    def test_holds_for_a_sample(self):
        """The normal form of a normal form is itself."""
        points = {*range(0x600), *range(0x1D00, 0x2100), *range(0xFB00, 0x10000)}

        assert set() == failures_at(points | set(range(0, CODE_POINTS, 211)))

    @pytest.mark.nightly
    def test_holds_for_all_code_points(self):
        """The normal form of a normal form is itself, whatever the character."""
        points = [point for point in range(CODE_POINTS) if point not in SURROGATES]

        assert 1_112_064 == len(points)
        assert set() == failures_at(points)

    @settings(deadline=None, max_examples=500)
    @given(st.text(), st.sampled_from(["text", "name"]))
    def test_holds_for_sequences(self, text, name):
        """Marks that stand side by side compose, and normalizing them again changes nothing."""
        try:
            once = normalize(text, name)
        except DomainError:
            once = ""

        assert once == normalize(once, name)

    @pytest.mark.nightly
    @settings(deadline=None, max_examples=1_000_000)
    @given(st.text(min_size=2), st.sampled_from(["text", "name"]))
    def test_holds_for_a_million_sequences(self, text, name):
        """As above, with patience."""
        try:
            once = normalize(text, name)
        except DomainError:
            once = ""

        assert once == normalize(once, name)


class TestText:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("", ""),
            (" \t\n", ""),
            ("  a \u00a0\u3000 b\r\n", "a b"),
            ("e\u0301", "é"),
            ("a\u200bb\ufeff\u00ad", "ab"),
            ("\u845b\U000e0100", "\u845b"),
            ("\uff21\ufb01", "\uff21\ufb01"),
            ("ABC", "ABC"),
            ("a\x00b", "a\x00b"),
        ],
    )
    def test_composes_and_strips(self, text, expected):
        """Accents are composed, invisible characters go, white space collapses; no more."""
        assert expected == normalize(text, "text@1")

    @pytest.mark.parametrize("stranger", ["\u0378", "\ud800", "\ufffe", "\U0010ffff", "\u0cf3"])
    def test_refuses_what_unicode_14_does_not_assign(self, stranger):
        """Python versions disagree about younger characters, so the error tells the position."""
        with pytest.raises(DomainError, match=r"character 22 of 23 is not assigned") as caught:
            normalize(f"{TEXT}{stranger}", "text@1")

        assert 22 == caught.value.position


class TestName:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("", ""),
            ("ANA  María", "ana maría"),
            ("\uff21\uff4e\uff41", "ana"),
            ("\ufb01sh", "fish"),
            ("Straße", "strasse"),
            ("STRASSE", "strasse"),
            ("\u017f", "s"),
            ("\u0130", "i\u0307"),
            ("\u0131", "\u0131"),
            ("ΣΊΣΥΦΟΣ", "σίσυφοσ"),
            ("σίσυφος", "σίσυφοσ"),
            ("\u00a8", "\u0308"),
            ("\u1e9e", "ss"),
            ("\u03d2\u0301", "ύ"),
        ],
    )
    def test_folds_width_and_case(self, text, expected):
        """Width, ligatures and case make no difference; another letter does."""
        assert expected == normalize(text, "name@1")


class TestEmail:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("Ana@Example.ORG", "ana@example.org"),
            (" ana@example.org\u200b\n", "ana@example.org"),
            ("ana\uff20example.org", "ana@example.org"),
            ("ana+news@example.org", "ana+news@example.org"),
            ("Bücher@bücher.example", "bücher@bücher.example"),
        ],
    )
    def test_folds_case_and_width(self, text, expected):
        """An address is one in any case and width; tags and dots are part of it."""
        assert expected == normalize(text, "email@1")

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "ana",
            "@example.org",
            "ana@",
            "a@b@c",
            "a b@c.org",
            f"Xanthippe <{EMAIL}>",
            f"{EMAIL},{EMAIL}",
            f"{EMAIL};",
        ],
    )
    def test_refuses_what_is_no_address(self, text):
        """What is not one bare address is refused."""
        with pytest.raises(DomainError, match="is no e-mail address"):
            normalize(text, "email@1")


class TestPhone:
    @pytest.mark.parametrize(
        "text",
        [
            PHONE,
            "+4915753804916",
            "004915753804916",
            "0049 (1575) 380-4916",
            "+49 (0)1575 3804916",
            "+49 ( 0 ) 1575/3804916",
            "＋４９　１５７５　３８０４９１６",
            "+49.1575.380.4916",
            "+49\u20111575\u20133804916",
            "\u202a+49 1575 3804916\u202c",
        ],
    )
    def test_writes_international_numbers_in_one_way(self, text):
        """However it is punctuated, an international number is + and digits."""
        assert "+4915753804916" == normalize(text, "phone@1")

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "01575 3804916",
            "(0)30 90182-7364",
            "+0157538049",
            "+49 1575",
            "+49 1575 3804916 3804916",
            "+49 1575 3804916 x12",
            "+49 1575 BLUMEN",
            "tel:+4915753804916",
            "+٤٩١٥٧٥٣٨٠٤٩١٦",
            "++4915753804916",
            "000049157538049",
        ],
    )
    def test_refuses_national_and_other_numbers(self, text):
        """A number without its country means nothing, and extensions are not guessed at."""
        with pytest.raises(DomainError, match="is no international telephone number"):
            normalize(text, "phone@1")


class TestNames:
    @pytest.mark.parametrize("name", NORMALIZATIONS)
    def test_a_name_without_a_number_is_the_latest(self, name):
        """The full name is what is written down, so that it stays what it is."""
        assert name == resolve(name)
        assert name == resolve(name.partition("@")[0])

    @pytest.mark.parametrize("name", ["", "e-mail", "email@", "email@2", "@1", "Email", None, 1])
    def test_others_are_refused(self, name):
        """The error lists what there is."""
        with pytest.raises(DomainError, match="a normalization is one of text, name, email, phone"):
            resolve(name)


class TestUnicodeTable:
    def test_is_the_database_of_its_version(self):
        """The shipped table is what Python knows if it has Unicode 14.0, and never more."""
        known = {
            point
            for point in range(CODE_POINTS)
            if unicodedata.category(chr(point)) not in {"Cn", "Cs"}
        }
        unseen = {point for point in known if unicodedata.category(chr(point)) == "Cf"}
        space = {point for point in known if chr(point).isspace()}

        assert points_of("ASSIGNED") <= known
        assert points_of("UNSEEN") <= points_of("ASSIGNED")
        if unicodedata.unidata_version == "14.0.0":
            assert points_of("ASSIGNED") == known
            assert unseen <= points_of("UNSEEN")
            assert space == points_of("SPACE")

    def test_has_the_size_of_its_version(self):
        """Unicode 14.0 assigns 144,697 characters, 65 controls and 137,468 private ones."""
        assert 144_697 + 65 + 137_468 == len(points_of("ASSIGNED"))

    @pytest.mark.skipif(
        unicodedata.unidata_version != "14.0.0",
        reason="the script needs a Python with Unicode 14.0",
    )
    def test_comes_from_its_script(self):
        """The script prints the module as it stands."""
        script = REPOSITORY / "scripts" / "make_unicode_table.py"
        made = subprocess.run([sys.executable, script], capture_output=True, check=True).stdout

        assert made.decode() == (REPOSITORY / "src/privkit/formats/unicode14.py").read_text("utf-8")
