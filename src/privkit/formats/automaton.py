"""
Regular languages over ASCII as automata that count, rank and unrank their strings.

The strings of one length that an automaton accepts, in lexicographic order, are numbered from 0.
Counting them is one pass of dynamic programming over states and lengths, so a number is found
from its string, and a string from its number, in time proportional to its length.

Source:
    Subset construction: Rabin and Scott, 1959. Counting and ranking: Goldberg and Sipser, 1985;
    Bellare, Ristenpart, Rogaway and Stegers, "Format-Preserving Encryption", 2009, section 5.
    Minimization by partition refinement: Hopcroft, 1971.
"""

import dataclasses
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Final, final

from privkit.errors import DomainError

UNIVERSE: Final = sum(1 << code for code in range(0x20, 0x7F))
"""The characters strings are made of, as a bit mask: printable ASCII."""

MAX_NODES: Final = 5_000
"""States of the nondeterministic automaton, which grows with the text of a pattern."""

MAX_STATES: Final = 5_000
"""States of the deterministic one, which can grow exponentially in the other."""

MAX_STEPS: Final = 500_000
"""Elementary steps of the construction, about a quarter of a second."""

MAX_KEPT: Final = 4_000
"""Steps that are kept between two texts. Telephone numbers need a few hundred."""

DEAD: Final[int] = -1


def mask_of(characters: Iterable[str]) -> int:
    """
    Return the bit mask of a set of characters.
    """
    mask = 0
    for character in characters:
        mask |= 1 << ord(character)
    return mask


@final
class Builder:
    """
    Thompson's construction: a nondeterministic automaton, put together part by part.

    A part is a pair of nodes, its entry and its exit. Parts are used once.

    Raises:
        DomainError: If the automaton has more than `MAX_NODES` nodes.
    """

    def __init__(self) -> None:
        self._skips: list[list[int]] = []
        self._edges: list[tuple[int, int] | None] = []
        self._steps = 0

    def _spend(self, steps: int) -> None:
        self._steps += steps
        if self._steps > MAX_STEPS:
            raise DomainError(
                "the pattern takes too long to build: fix more of its characters",
                maximum=MAX_STEPS,
            )

    def _node(self) -> int:
        if len(self._edges) >= MAX_NODES:
            raise DomainError(
                f"the pattern needs more than {MAX_NODES} states: shorten its repetitions",
                maximum=MAX_NODES,
            )
        self._skips.append([])
        self._edges.append(None)
        return len(self._edges) - 1

    def characters(self, mask: int) -> tuple[int, int]:
        """
        Return a part that accepts one character of a set.
        """
        entry, leave = self._node(), self._node()
        self._edges[entry] = (mask, leave)
        return entry, leave

    def sequence(self, parts: Iterable[tuple[int, int]]) -> tuple[int, int]:
        """
        Return a part that accepts what its parts accept, one after the other.
        """
        entry = leave = self._node()
        for start, end in parts:
            self._skips[leave].append(start)
            leave = end
        return entry, leave

    def either(self, parts: Iterable[tuple[int, int]]) -> tuple[int, int]:
        """
        Return a part that accepts what any of its parts accepts.
        """
        entry, leave = self._node(), self._node()
        for start, end in parts:
            self._skips[entry].append(start)
            self._skips[end].append(leave)
        return entry, leave

    def repeat(
        self, make: Callable[[], tuple[int, int]], least: int, most: int | None
    ) -> tuple[int, int]:
        """
        Return a part that accepts *least* to *most* repetitions of what *make* makes.
        """
        entry = leave = self._node()
        final_exit = self._node()
        for _ in range(least):
            start, end = make()
            self._skips[leave].append(start)
            leave = end
        if most is None:
            start, end = make()
            self._skips[leave] += [start, final_exit]
            self._skips[end] += [start, final_exit]
            return entry, final_exit
        for _ in range(most - least):
            self._skips[leave].append(final_exit)
            start, end = make()
            self._skips[leave].append(start)
            leave = end
        self._skips[leave].append(final_exit)
        return entry, final_exit

    def automaton(self, part: tuple[int, int]) -> "Automaton":
        """
        Return the deterministic automaton of a part.

        Raises:
            DomainError: If it has more than `MAX_STATES` states.
        """
        entry, leave = part
        reach = self._closures()
        atoms = split(edge[0] for edge in self._edges if edge is not None)
        # For each atom, the nodes that read it, so that a step is a few bit operations.
        readers = [
            sum(1 << node for node, edge in enumerate(self._edges) if edge and edge[0] & atom)
            for atom in atoms
        ]
        after = [reach[edge[1]] if edge else 0 for edge in self._edges]
        start = reach[entry]
        numbers = {start: 0}
        table: list[list[int]] = []
        queue = [start]
        for nodes in queue:
            row = []
            for reading in readers:
                target = 0
                active = nodes & reading
                self._spend(1 + active.bit_count())
                while active:
                    low = active & -active
                    target |= after[low.bit_length() - 1]
                    active ^= low
                if not target:
                    row.append(DEAD)
                    continue
                if target not in numbers:
                    _check_states(len(numbers))
                    numbers[target] = len(numbers)
                    queue.append(target)
                row.append(numbers[target])
            table.append(row)
        accepting = [bool(nodes >> leave & 1) for nodes in numbers]
        return _tidy(atoms, table, accepting)

    def _closures(self) -> list[int]:
        closures = []
        for node in range(len(self._edges)):
            seen = 1 << node
            stack = [node]
            while stack:
                for skip in self._skips[stack.pop()]:
                    if not seen >> skip & 1:
                        seen |= 1 << skip
                        stack.append(skip)
            self._spend(seen.bit_count())
            closures.append(seen)
        return closures


def _check_states(count: int) -> None:
    if count >= MAX_STATES:
        raise DomainError(
            f"the pattern needs more than {MAX_STATES} states: fix more of its characters",
            maximum=MAX_STATES,
        )


def split(masks: Iterable[int]) -> list[int]:
    """
    Return the coarsest disjoint sets of characters of which all the given sets are unions.
    """
    distinct = sorted(set(masks))
    atoms: dict[tuple[bool, ...], int] = {}
    for code in range(128):
        members = tuple(bool(mask >> code & 1) for mask in distinct)
        if any(members):
            atoms[members] = atoms.get(members, 0) | 1 << code
    return list(atoms.values())


@final
@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Automaton:
    """
    A minimal deterministic automaton in which every state leads to an accepting one.

    State 0 is the start. An automaton that accepts nothing has no states.
    """

    atoms: tuple[int, ...]
    table: tuple[tuple[int, ...], ...]
    accepting: tuple[bool, ...]
    _counts: dict[int, list[int]] = dataclasses.field(default_factory=dict, init=False, repr=False)
    _steps: dict[tuple[int, int], "_Step"] = dataclasses.field(
        default_factory=dict, init=False, repr=False
    )

    def count(self, length: int) -> int:
        """
        Return how many strings of *length* characters are accepted.
        """
        return self._ways(length)[0] if self.table else 0

    def rank(self, text: str) -> int:
        """
        Return the number of *text* among the accepted strings of its length, from 0.

        Raises:
            DomainError: If *text* is not accepted.
        """
        number = self.find(text)
        if number is None:
            raise DomainError(f"the text of {len(text)} characters does not match the pattern")
        return number

    def find(self, text: str) -> int | None:
        """
        Return the number of *text* as `rank` does, or ``None`` if it is not accepted.
        """
        if not self.count(len(text)):
            return None
        number, step = 0, self._step(0, len(text))
        for character in text:
            move = (step.moves or self._fill(step)).get(character)
            if move is None:
                return None
            offset, step = move
            number += offset
        return number

    def unrank(self, number: int, length: int) -> str:
        """
        Return the accepted string of *length* characters that has this number.

        Raises:
            DomainError: If there are not so many strings.
        """
        if not 0 <= number < self.count(length):
            raise DomainError(f"the pattern has {self.count(length)} texts of {length} characters")
        made = []
        step = self._step(0, length)
        for _ in range(length):
            moves = step.moves or self._fill(step)
            # The last character whose strings begin at or before the number.
            made.append(step.characters[bisect_right(step.offsets, number) - 1])
            offset, step = moves[made[-1]]
            number -= offset
        return "".join(made)

    def begins(self, text: str) -> bool:
        """
        Return whether an accepted string begins with *text*.
        """
        state = 0 if self.table else DEAD
        for character in text:
            bit = 1 << ord(character)
            state = next(
                (
                    target
                    for atom, target in zip(self.atoms, self.table[state], strict=True)
                    if atom & bit
                ),
                DEAD,
            )
            if state == DEAD:
                return False
        return state != DEAD

    def both(self, other: "Automaton") -> "Automaton":
        """
        Return the automaton of the strings that both accept.
        """
        return _product(self, other, lambda mine, theirs: mine and theirs)

    def minus(self, other: "Automaton") -> "Automaton":
        """
        Return the automaton of the strings that this one accepts and the other does not.
        """
        return _product(self, other, lambda mine, theirs: mine and not theirs)

    def either(self, other: "Automaton") -> "Automaton":
        """
        Return the automaton of the strings that one of them accepts, or both.
        """
        return _product(self, other, lambda mine, theirs: mine or theirs)

    def _ways(self, length: int) -> list[int]:
        """
        For each state, how many strings of *length* characters lead from it to acceptance.
        """
        # Entries are only ever added, each always with one value, so threads may race for them.
        counts = self._counts
        if length not in counts:
            counts.setdefault(0, [int(accepts) for accepts in self.accepting])
            widths = [atom.bit_count() for atom in self.atoms]
            for size in range(1, length + 1):
                if size not in counts:
                    last = counts[size - 1]
                    counts[size] = [
                        sum(
                            width * last[target]
                            for width, target in zip(widths, row, strict=True)
                            if target != DEAD
                        )
                        for row in self.table
                    ]
        return counts[length]

    def _step(self, state: int, left: int) -> "_Step":
        step = self._steps.get((state, left))
        if step is not None:
            return step
        if len(self._steps) >= MAX_KEPT:
            # Whoever walks along these steps holds on to them.
            self._steps.clear()
        return self._steps.setdefault((state, left), _Step(state, left))

    def _fill(self, step: "_Step") -> "dict[str, tuple[int, _Step]]":
        """
        Find out what can follow. Threads that race for it find the same.
        """
        ways = self._ways(step.left - 1)
        targets: dict[int, int] = {}
        for atom, target in zip(self.atoms, self.table[step.state], strict=True):
            if target != DEAD and ways[target]:
                targets.update((code, target) for code in range(128) if atom >> code & 1)
        total = 0
        moves: dict[str, tuple[int, _Step]] = {}
        offsets = []
        for code, target in sorted(targets.items()):
            moves[chr(code)] = total, self._step(target, step.left - 1)
            offsets.append(total)
            total += ways[target]
        step.offsets, step.characters = offsets, list(moves)
        # Last: who sees the moves also sees the rest.
        step.moves = moves
        return moves


class _Step:
    """
    A state with a number of characters to go. Filled at first use.

    It holds the characters that can follow, in order, where the numbers of each begin, and the
    step it leads to.
    """

    __slots__ = ("characters", "left", "moves", "offsets", "state")

    def __init__(self, state: int, left: int) -> None:
        self.state = state
        self.left = left
        self.moves: dict[str, tuple[int, _Step]] = {}
        self.offsets: list[int] = []
        self.characters: list[str] = []


def _product(
    first: Automaton, second: Automaton, accept: Callable[[bool, bool], bool]
) -> Automaton:
    """
    Run two automata side by side. The state `DEAD` stands for one that has stopped.
    """
    atoms = split((*first.atoms, *second.atoms))
    moves = [(_atom_index(first.atoms, atom), _atom_index(second.atoms, atom)) for atom in atoms]
    start: tuple[int, int] = (0 if first.table else DEAD, 0 if second.table else DEAD)
    numbers: dict[tuple[int, int], int] = {start: 0}
    queue: list[tuple[int, int]] = [start]
    table: list[list[int]] = []
    accepting = []
    for one, two in queue:
        row = []
        for move_one, move_two in moves:
            target = (
                DEAD if DEAD in (one, move_one) else first.table[one][move_one],
                DEAD if DEAD in (two, move_two) else second.table[two][move_two],
            )
            if target == (DEAD, DEAD):
                row.append(DEAD)
                continue
            if target not in numbers:
                _check_states(len(numbers))
                numbers[target] = len(numbers)
                queue.append(target)
            row.append(numbers[target])
        table.append(row)
        accepting.append(
            accept(one != DEAD and first.accepting[one], two != DEAD and second.accepting[two])
        )
    return _tidy(atoms, table, accepting)


def _atom_index(atoms: Sequence[int], part: int) -> int:
    return next((index for index, atom in enumerate(atoms) if atom & part), DEAD)


def _tidy(atoms: Sequence[int], table: list[list[int]], accepting: list[bool]) -> Automaton:
    """
    Leave out the states that lead nowhere, and join those that no string tells apart.
    """
    alive = _alive(table, accepting)
    if 0 not in alive:
        return Automaton((), (), ())
    block = _blocks(table, accepting, alive)
    # Number blocks in the order in which a walk from the start meets them.
    order = {block[0]: 0}
    rows: list[list[int]] = []
    leaders = [0]
    for leader in leaders:
        row = []
        for to in table[leader]:
            name = block[to] if to in alive else DEAD
            if name != DEAD and name not in order:
                order[name] = len(order)
                leaders.append(to)
            row.append(DEAD if name == DEAD else order[name])
        rows.append(row)
    used = [index for index in range(len(atoms)) if any(row[index] != DEAD for row in rows)]
    return Automaton(
        tuple(atoms[index] for index in used),
        tuple(tuple(row[index] for index in used) for row in rows),
        tuple(accepting[leader] for leader in leaders),
    )


def _blocks(table: list[list[int]], accepting: list[bool], alive: set[int]) -> list[int]:
    """
    Return for each state the number of its block.

    Two states are in one block if no string tells them apart. States that lead nowhere are in
    one block with the missing target.
    """
    nowhere = len(table)
    rows = [[to if to in alive else nowhere for to in row] for row in table]
    before: list[dict[int, list[int]]] = [{} for _ in (table[0] if table else ())]
    for state in alive:
        for sources, to in zip(before, rows[state], strict=True):
            sources.setdefault(to, []).append(state)
    accepts = {state for state in alive if accepting[state]}
    parts = [part for part in (accepts, alive - accepts) if part]
    parts.append({nowhere, *(state for state in range(nowhere) if state not in alive)})
    block = [0] * (nowhere + 1)
    for name, part in enumerate(parts):
        for state in part:
            block[state] = name
    waiting = set(range(len(parts)))
    while waiting:
        splitter = list(parts[waiting.pop()])
        for sources in before:
            hit: dict[int, set[int]] = {}
            for to in splitter:
                for state in sources.get(to, ()):
                    hit.setdefault(block[state], set()).add(state)
            for name, inside in hit.items():
                if len(inside) == len(parts[name]):
                    continue
                outside = parts[name] - inside
                # The larger half keeps the name, so that each state is renamed rarely.
                parts[name], moved = sorted((inside, outside), key=len, reverse=True)
                for state in moved:
                    block[state] = len(parts)
                waiting.add(len(parts))
                parts.append(moved)
    return block


def _alive(table: list[list[int]], accepting: list[bool]) -> set[int]:
    before: list[list[int]] = [[] for _ in table]
    for state, row in enumerate(table):
        for target in row:
            if target != DEAD:
                before[target].append(state)
    alive = {state for state, accepts in enumerate(accepting) if accepts}
    stack = list(alive)
    while stack:
        for state in before[stack.pop()]:
            if state not in alive:
                alive.add(state)
                stack.append(state)
    return alive
