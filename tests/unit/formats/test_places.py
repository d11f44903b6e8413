from itertools import product

from privkit.formats.places import HexPlaces, WeightedPlaces, rank, size, unrank

CHOICES = ["01", "abc", "x", "0123456789"]


class TestPlaces:
    def test_numbers_are_in_order(self):
        """
        The strings of all choices are numbered in the order of the choices.
        """
        every = ["".join(one) for one in product(*CHOICES)]

        assert len(every) == size(CHOICES)
        assert list(range(len(every))) == [rank(one, CHOICES) for one in every]
        assert every == [unrank(number, CHOICES) for number in range(len(every))]


class TestHexPlaces:
    def test_both_halves_are_numbered(self):
        """
        The strings with a letter are numbered without gaps, and so are those of digits alone.
        """
        for choices in (["0123456789abcdef"] * 3, ["0123", "89ab", "0123456789abcdef"]):
            places = HexPlaces(choices)
            for lettered in (True, False):
                half = [
                    one for one in map("".join, product(*choices)) if lettered is not one.isdigit()
                ]

                assert len(half) == places.size(lettered=lettered)
                assert list(range(len(half))) == [
                    places.rank(one, lettered=lettered) for one in half
                ]
                assert half == [
                    places.unrank(number, lettered=lettered) for number in range(len(half))
                ]

    def test_a_letter_that_stays_lets_all_strings_in(self):
        """
        Beside a letter that is kept, all strings have a letter.
        """
        places = HexPlaces(["a", "0123456789abcdef", "0123456789abcdef"])

        assert 256 == places.size(lettered=True)
        assert 0 == places.size(lettered=False)
        assert ["a00", "a0f", "aff"] == [places.unrank(n, lettered=True) for n in (0, 15, 255)]


class TestWeightedPlaces:
    def test_only_right_sums_are_numbered(self):
        """
        The strings whose weighted sum is a multiple of 11 are numbered without gaps.
        """
        pairs = [f"{number:02d}" for number in range(1, 100)]
        weights = (5, 4, 3, 2, 1)
        choices = [pairs, ["7"], "0123456789", "0123456789"]
        places = WeightedPlaces(choices, weights)
        right = [
            one
            for one in map("".join, product(*choices))
            if sum(int(digit) * weight for digit, weight in zip(one, weights, strict=True)) % 11
            == 0
        ]

        assert len(right) == places.size()
        assert right == [places.unrank(number) for number in range(len(right))]
        assert list(range(len(right))) == [places.rank(one) for one in right]
