"""Where the rules of a policy meet the values of a record."""

import pytest

from privkit.errors import PolicyError
from privkit.policy.tree import OMIT, find, grow, refuse, walk


class Show:
    """A visitor that writes the rule beside the value, so that a test can see what met what."""

    def __init__(self):
        self.missing = []

    def value(self, value, rule, /):
        return OMIT if rule == "drop" else (rule, value)

    def unruled(self, _value, where, /):
        self.missing.append(where)


def visit(record, rules):
    """Walk a record with rules that name themselves."""
    return walk(record, grow(rules), Show())


class TestPaths:
    def test_flat_record_keeps_its_order(self):
        """Keys come out in the order of the record, not of the policy."""
        result = visit({"b": 1, "a": 2}, {"a": "A", "b": "B"})

        assert [("b", ("B", 1)), ("a", ("A", 2))] == list(result.items())

    def test_nested_fields_of_one_name_are_not_mixed_up(self):
        """A path rules one place, whatever its siblings are called."""
        record = {"mother": {"name": 1}, "child": {"name": 2}, "name": 3}
        rules = {"mother.name": "M", "child.name": "C", "name": "N"}

        assert {
            "mother": {"name": ("M", 1)},
            "child": {"name": ("C", 2)},
            "name": ("N", 3),
        } == visit(record, rules)

    def test_list_step_rules_each_item(self):
        """A list step rules every item, and lists in lists."""
        record = {"visits": [{"codes": [1, 2]}, {"codes": [], "by": 4}], "grid": ((1,), (2, 3))}
        rules = {"visits[*].codes[*]": "C", "visits[*].by": "B", "grid[*][*]": "G"}

        assert {
            "visits": [{"codes": [("C", 1), ("C", 2)]}, {"codes": [], "by": ("B", 4)}],
            "grid": [[("G", 1)], [("G", 2), ("G", 3)]],
        } == visit(record, rules)

    def test_literal_column_name_matches_first(self):
        """A flat column called like a path is ruled by the rule of that name."""
        record = {"a.b": 1, "a": {"b": 2}, "v[*].d": 3}
        rules = {"a.b": "AB", "v[*].d": "VD"}

        assert {"a.b": ("AB", 1), "a": {"b": ("AB", 2)}, "v[*].d": ("VD", 3)} == visit(
            record, rules
        )

    def test_longest_path_wins(self):
        """A rule on a container rules every part that has no rule of its own."""
        record = {"p": {"id": 1, "name": 2, "tags": [3]}, "q": [{"x": 4, "y": 5}]}
        rules = {"p": "P", "p.id": "ID", "q": "Q", "q[*].x": "X"}

        assert {
            "p": {"id": ("ID", 1), "name": ("P", 2), "tags": ("P", [3])},
            "q": [{"x": ("X", 4), "y": ("Q", 5)}],
        } == visit(record, rules)

    def test_star_rules_top_level_fields_alone(self):
        """`*` rules top-level fields without a rule, and nothing below a path."""
        show = Show()
        record = {"a": 1, "p": {"x": 2, "y": 3}}
        result = walk(record, grow({"*": "S", "p.x": "X"}), show)

        assert {"a": ("S", 1), "p": {"x": ("X", 2), "y": None}} == result
        assert ["'y' of 'p'"] == show.missing

    def test_omitted_items_leave_lists_and_records(self):
        """What a visitor leaves out is gone, key and all."""
        record = {"a": 1, "l": [1, 2], "p": {"x": 1, "y": 2}}
        rules = {"a": "drop", "l[*]": "drop", "p.x": "drop", "p.y": "Y"}

        assert {"l": [], "p": {"y": ("Y", 2)}} == visit(record, rules)

    def test_null_container_stays_null(self):
        """A null where a container is expected is visited only if a rule covers it."""
        record = {"visits": None, "p": None}
        rules = {"visits[*].date": "D", "p": "P", "p.x": "X"}

        assert {"visits": None, "p": ("P", None)} == visit(record, rules)


class TestShapes:
    @pytest.mark.parametrize(
        ("record", "rules", "message"),
        [
            ([], {"a": "A"}, "a record is a mapping, got list"),
            ({1: 2}, {"a": "A"}, "the keys of a record are text, got int at position 0"),
            (
                {"p": {2: 3}},
                {"p.a": "A"},
                "the keys of a record are text, got int at position 0 of 'p'",
            ),
            (
                {"visits": [{"date": 1}]},
                {"visits.date": "D"},
                (
                    "field 'visits' is a record in the policy, got list: write 'visits[*]' in its "
                    "paths"
                ),
            ),
            (
                {"visits": [1]},
                {"visits": "V", "visits.date": "D"},
                (
                    "field 'visits' is a record in the policy, got list: write 'visits[*]' in its "
                    "paths"
                ),
            ),
            (
                {"visits": {"date": 1}},
                {"visits[*].date": "D"},
                "field 'visits' is a list in the policy, got dict",
            ),
            (
                {"visits": "x"},
                {"visits[*]": "D", "visits.y": "Y"},
                "field 'visits' is a record or a list in the policy, got str",
            ),
        ],
    )
    def test_another_shape_is_refused(self, record, rules, message):
        """A container where the policy expects another shape is an error, not a guess."""
        with pytest.raises(PolicyError) as caught:
            visit(record, rules)

        assert message == str(caught.value)

    def test_unruled_keys_are_named_only_if_they_look_like_field_names(self):
        """A key that may be data itself is told by its position."""
        show = Show()
        walk(
            {"phone": 1, "ana@example.org": 2, "id 4711": 3, "n4711": 4, "p": {"k": 5}},
            grow({"p.x": "X"}),
            show,
        )

        assert ["'phone'", "key 2", "key 3", "key 4", "'k' of 'p'"] == show.missing

    def test_refusal_lists_what_is_missing(self):
        """The refusal lists at most twenty fields and says that there are more."""
        refuse([])
        with pytest.raises(PolicyError) as caught:
            refuse([f"'f{i}'" for i in range(21)])

        assert str(caught.value).startswith("no rule for ['f0', 'f1', ")
        assert "'f19' …]" in str(caught.value)
        assert 21 == len(caught.value.fields)


class TestFind:
    @pytest.mark.parametrize(
        ("path", "found"),
        [
            ("a.b", 1),
            ("a.c", None),
            ("a.b.c", None),
            ("x.y", 2),
            ("z", None),
            ("a[*]", None),
            ('"x.y"', 2),
        ],
    )
    def test_finds_values_from_the_root(self, path, found):
        """A path leads from the root of the record; a literal key comes first."""
        assert found == find({"a": {"b": 1}, "x.y": 2}, path)
