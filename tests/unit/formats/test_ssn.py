import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.us import ssn

from privkit.errors import DomainError
from privkit.formats.ssn import SSN
from tests.canaries import VALUES
from tests.unit.formats.laws import check_laws, check_refused, check_whole

CANARY = VALUES["digits with hyphens"]
NUMBERS = st.builds(
    "{:03d}-{:02d}-{:04d}".format, st.integers(1, 899), st.integers(1, 99), st.integers(1, 9999)
).filter(ssn.is_valid)
ALL = 898 * 99 * 9999 - 3


class TestLaws:
    @given(
        NUMBERS,
        st.integers(0) | st.sampled_from([0, ALL - 1]),
        st.sampled_from(["", "-", " "]),
        st.sampled_from([0, 4]),
    )
    def test_numbers_come_back_and_stay_valid(self, text, other, separator, last):
        """
        What comes out could have been assigned, and keeps the separators and the last digits.
        """
        text = text.replace("-", separator)
        out = check_laws(SSN(last=last), text, other)

        assert ssn.is_valid(out.replace(" ", "-"))
        assert len(text) == len(out)
        assert separator == out[3 : 3 + len(separator)]
        assert not last or text[-4:] == out[-4:]

    @pytest.mark.parametrize(
        ("left_out", "before", "after"),
        [
            ("078-05-1120", "078-05-1119", "078-05-1121"),
            ("219-09-9999", "219-09-9998", "219-10-0001"),
            ("457-55-5462", "457-55-5461", "457-55-5463"),
            ("666-01-0001", "665-99-9999", "667-01-0001"),
        ],
    )
    def test_numbering_skips_what_was_never_assigned(self, left_out, before, after):
        """
        The numbers around one that is left out follow each other.
        """
        assert SSN().parse(before).number + 1 == SSN().parse(after).number
        check_refused(SSN(), left_out)

    def test_the_ends_of_the_domain(self):
        """
        The first and the last number are the least and the greatest that could be assigned.
        """
        parsed = SSN().parse(CANARY)

        assert (ALL, 888_931_095) == (parsed.size, parsed.size)
        assert "001-01-0001" == SSN().render(parsed, 0)
        assert "899-99-9999" == SSN().render(parsed, parsed.size - 1)

    @pytest.mark.parametrize(("text", "size"), [(CANARY, 898 * 99), ("001-01-1120", 898 * 99 - 1)])
    def test_the_whole_domain_beside_the_last_digits_is_numbered(self, text, size):
        """
        All numbers with the same last four digits are there, each once.
        """
        every = check_whole(SSN(last=4), text)

        assert size == len(every)
        assert all(ssn.is_valid(one) for one in every)


class TestRefusals:
    @pytest.mark.parametrize(
        "value",
        [
            CANARY[:-1],
            CANARY + "0",
            CANARY.replace("-", "", 1),
            CANARY.replace("-", " ", 1),
            "000" + CANARY[3:],
            "666" + CANARY[3:],
            "900" + CANARY[3:],
            CANARY[:4] + "00" + CANARY[6:],
            "٦١٢847093",
            f"{CANARY}\n",
            "",
            612847093,
        ],
    )
    def test_other_values_are_refused(self, value):
        """
        What could not have been assigned is refused with a reason that holds no part of it.
        """
        check_refused(SSN(), value)

    def test_a_serial_number_of_zeros_is_refused(self):
        """
        The serial number is not 0000.
        """
        with pytest.raises(DomainError, match="serial number not 0000"):
            SSN().parse(CANARY[:7] + "0000")

    @pytest.mark.parametrize("last", [1, "4", False, 4.0])
    def test_other_options_are_refused(self, last):
        """
        Four digits are kept, or none.
        """
        with pytest.raises(DomainError, match="0 or 4"):
            SSN(last=last)
