"""
A file of records in, a file of records out: streamed, and whole or not at all.
"""

import io
import os
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Final, Protocol, TypeAlias, cast

from privkit.audit import AuditSink
from privkit.authority import Access, Authority
from privkit.errors import DatasetError, IrreversibleError, PrivkitError, UnruledFieldError
from privkit.frames.atomic import rehearsed, staged
from privkit.frames.csv_file import CSV
from privkit.frames.json_lines import JSONLines
from privkit.frames.text import reason
from privkit.keys import KeyProvider, StaticKeys
from privkit.keys.provider import resolve
from privkit.keys.text import holds_key
from privkit.policy.manifest import Manifest
from privkit.policy.model import Policy
from privkit.policy.paths import Step, parse
from privkit.pseudonymizer import Pseudonymizer, clean

FileFormat: TypeAlias = CSV | JSONLines
"""What a file can be."""

Progress: TypeAlias = Callable[[int, float | None], None]
"""Is told how many rows are done, and which part of the input that is, 0 to 1, if known."""

SUFFIXES: Final[Mapping[str, FileFormat]] = {
    ".csv": CSV(),
    ".tsv": CSV(delimiter="\t"),
    ".jsonl": JSONLines(),
    ".ndjson": JSONLines(),
}

REPORT_EVERY: Final = 1000
"""Rows between two calls of a progress function."""


class _Job(Protocol):
    """
    What happens to the records between two files.
    """

    def header(self, header: tuple[str, ...], /) -> tuple[str, ...]:
        """
        Return the columns of the target.
        """
        ...

    def records(self, records: Iterable[dict[str, object]], /) -> Iterator[Mapping[str, object]]:
        """
        Return the records of the target, one for each of the source.
        """
        ...

    def finish(self, rows: int, file_format: FileFormat, /) -> Manifest | None:
        """
        Describe the target; or refuse it, after its last record.
        """
        ...


def file_format(path: str | os.PathLike[str], /) -> FileFormat:
    """
    Return the format that the suffix of a file's name stands for.

    Raises:
        DatasetError: If it stands for none.
    """
    found = SUFFIXES.get(Path(path).suffix.lower())
    if found is None:
        # Somebody passes a key one day, and a traceback can print locals.
        del path
        raise DatasetError(
            "the suffix of the input's name tells no format: declare it (--format), or use one of "
            f"{', '.join(SUFFIXES)}"
        )
    return found


def pseudonymize_file(
    pseudonymizer: Pseudonymizer,
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    /,
    *,
    format: FileFormat | None = None,  # noqa: A002 - the word of the manifest
    overwrite: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Manifest:
    """
    Protect the records of a file, and write them to another with a manifest beside it.

    Memory does not grow with the file. The target appears under its name when it is complete
    and on disk, after its manifest, and is readable by the user alone; if anything fails,
    there is neither. The source is only read.

    Args:
        pseudonymizer: The rules and the keys.

        source: A file of records.

        target: The file to make, in the format and the encoding of *source*. Its manifest is
            called the same with ``.manifest.json`` behind it.

        format: The format of *source*; ``None`` for what its suffix stands for.

        overwrite: Whether the target and its manifest may exist, and are replaced.

        dry_run: Whether to protect every record and write nothing.

        progress: Called every thousand rows, and at the end.

    Returns:
        The manifest.

    Raises:
        DatasetError: If a file or a row cannot be read or written, or the target exists.

        PolicyError: If a column has no rule, which shows before the first row, or a record has
            another shape than the policy's paths.

        DomainError: If a value does not fit its rule.

        KeyProviderError: If no key can be had.

    .. versionadded:: 0.1
    """
    failure: PrivkitError
    try:
        paths = _path("source", source), _path("target", target)
        job = _Protect(pseudonymizer)
        files = _Files(*paths, format, overwrite=overwrite)
        return cast("Manifest", files.run(job, dry_run=dry_run, progress=progress)[1])
    except OSError as error:
        failure = DatasetError(f"{target} cannot be written: {reason(error)}")
    except Exception as error:  # noqa: BLE001 - whatever it is, its content stays inside
        failure = clean(error, "the file cannot be pseudonymized:")
    del source, target
    raise failure


def reidentify_file(
    policy: Policy,
    keys: KeyProvider,
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    /,
    *,
    manifest: Manifest,
    access: Access,
    audit: AuditSink,
    actor: str,
    purpose: str,
    fields: Collection[str] | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> int:
    """
    Write a pseudonymized file with what reverses put back in its place.

    The policy and the key are compared with the manifest before anything is revealed, and the
    number of records after the last. The run is one request, decided by *access* and written to
    *audit* before the first record is read. The target appears when it is complete, and is
    readable by the user alone; it has no manifest.

    Args:
        policy: The rules under which the file was made.

        keys: Where keys come from.

        source: The pseudonymized file.

        target: The file to make.

        manifest: What was done to *source*. It tells the format, the keyset and the key.

        access: Who may reidentify, and for which purpose.

        audit: Where the request is written.

        actor: Who asks.

        purpose: What for.

        fields: Policy paths to reveal; ``None`` for all that reverse.

        overwrite: Whether the target may exist, and is replaced.

        progress: Called every thousand rows, and at the end.

    Returns:
        How many records were written.

    Raises:
        PolicyError: If the manifest is of another policy, or a field is not in the policy.

        KeyProviderError: If no key can be had, or it is not the manifest's.

        IrreversibleError: If a named field is one-way, or all are.

        AccessDeniedError: If the access rules refuse.

        AuditError: If the request cannot be written down.

        TamperedError: If an authenticated pseudonym was altered.

        DatasetError: If a file or a row cannot be read or written, or the target exists.

    .. versionadded:: 0.1
    """
    failure: PrivkitError
    try:
        paths = _path("source", source), _path("target", target)
        keyset = None if manifest.keyset is None else resolve(keys, manifest.keyset)
        manifest.check(policy, keyset)
        if Manifest.beside(paths[1]).exists():
            raise DatasetError(
                f"{target} has a manifest, as pseudonymized data does: choose another name"
            )
        if keyset is None or not any(rule.reversible for rule in policy.fields.values()):
            raise IrreversibleError(f"no rule of policy '{policy.name}' reverses")
        # The keys that were checked are the ones that are used, whatever the provider says next.
        checked = StaticKeys.of(keyset)
        authority = policy.authority(checked, access=access, audit=audit)
        job = _Reveal(authority, manifest, fields, actor, purpose)
        files = _Files(*paths, _described(manifest), overwrite=overwrite)
        return files.run(job, dry_run=False, progress=progress)[0]
    except OSError as error:
        failure = DatasetError(f"{target} cannot be written: {reason(error)}")
    except Exception as error:  # noqa: BLE001 - whatever it is, its content stays inside
        failure = clean(error, "the file cannot be reidentified:")
    del source, target
    raise failure


class _Protect:
    """
    Records on their way out.
    """

    def __init__(self, pseudonymizer: Pseudonymizer) -> None:
        # One key for the whole file, which its manifest names.
        self._pseudonymizer = pseudonymizer.pinned()
        keyset = self._pseudonymizer.keyset
        self._key = None if keyset is None else keyset.primary

    def header(self, header: tuple[str, ...], /) -> tuple[str, ...]:
        try:
            # A record of nulls meets every rule and no transform: unruled columns show here.
            return tuple(self._pseudonymizer.pseudonymize(dict.fromkeys(header)))
        except UnruledFieldError as error:
            if len(cast("tuple[str, ...]", error.fields)) < len(header):
                raise
        # The first row may be a person's, so it is not shown.
        raise UnruledFieldError(
            f"no rule for any of {len(header)} columns: does the file begin with their names, and "
            "is this its delimiter (--delimiter)?"
        )

    def records(self, records: Iterable[dict[str, object]], /) -> Iterator[Mapping[str, object]]:
        return map(self._pseudonymizer.pseudonymize, records)

    def finish(self, rows: int, file_format: FileFormat, /) -> Manifest | None:
        return Manifest.of(
            self._pseudonymizer.policy,
            keyset=self._pseudonymizer.keyset_name,
            key=self._key,
            rows=rows,
            format=file_format.name,
            options=file_format.options,
        )


class _Reveal:
    """
    Records on their way back.
    """

    def __init__(
        self,
        authority: Authority,
        manifest: Manifest,
        fields: Collection[str] | None,
        actor: str,
        purpose: str,
    ) -> None:
        self._authority = authority
        self._manifest = manifest
        # A text, which is a mistake, is left whole for the authority to refuse.
        self._fields = fields if fields is None or isinstance(fields, str) else tuple(fields)
        self._actor = actor
        self._purpose = purpose
        self._wanted = _Keys(self._paths(), authority.policy.fields)
        self._met = False

    def header(self, header: tuple[str, ...], /) -> tuple[str, ...]:
        if not self._wanted.meet(header):
            raise self._stranger()
        return header

    def records(self, records: Iterable[dict[str, object]], /) -> Iterator[Mapping[str, object]]:
        current: list[dict[str, object]] = []
        revealed = self._authority.reidentify_all(
            self._remembered(records, current),
            fields=self._fields,
            actor=self._actor,
            purpose=self._purpose,
            key_id=self._manifest.key_id,
        )
        return (cast("dict[str, object]", _merged(current[0], parts)) for parts in revealed)

    def finish(self, rows: int, _file_format: FileFormat, /) -> Manifest | None:
        if rows != self._manifest.rows:
            raise DatasetError(
                f"the input has {rows} rows and its manifest says {self._manifest.rows}: it was "
                "cut or extended, or the manifest is of another file",
                rows=rows,
                expected=self._manifest.rows,
            )
        if rows and not self._met:
            raise self._stranger()
        return None

    def _remembered(
        self, records: Iterable[dict[str, object]], current: list[dict[str, object]]
    ) -> Iterator[dict[str, object]]:
        for record in records:
            current[:] = [record]
            self._met = self._met or self._wanted.meet(record)
            yield record

    def _paths(self) -> Collection[str]:
        policy = self._authority.policy
        if self._fields is None or isinstance(self._fields, str):
            return [path for path, rule in policy.fields.items() if rule.reversible]
        for path in self._fields:
            policy.require(path)
        return self._fields

    def _stranger(self) -> DatasetError:
        return DatasetError(
            "the input has none of the fields that are to be revealed: is it the file that policy "
            f"'{self._authority.policy.name}' made?"
        )


class _Keys:
    """
    The top-level keys of a record under which some paths of a policy begin.
    """

    def __init__(self, paths: Collection[str], rules: Collection[str]) -> None:
        self._keys = _beginnings(paths)
        # The rule of every other field rules what no path begins with.
        self._others = _beginnings(rules) if Step.OTHER.value in paths else None

    def meet(self, record: Iterable[str]) -> bool:
        """
        Whether *record* has one of the keys.
        """
        return any(
            key in self._keys or (self._others is not None and key not in self._others)
            for key in record
        )


def _beginnings(paths: Collection[str]) -> set[str | Step]:
    # A literal name of a column matches before a path does.
    return {beginning for path in paths for beginning in (path, parse(path)[0])}


def _merged(protected: object, revealed: object) -> object:
    """
    Return what is protected, with what was revealed of it in its place.
    """
    if protected is None or (isinstance(protected, dict | list) and not revealed):
        # The authority puts an empty container for an item of which it reveals nothing.
        return protected
    if isinstance(protected, dict) and isinstance(revealed, dict):
        return protected | {key: _merged(protected[key], revealed[key]) for key in revealed}
    if isinstance(protected, list) and isinstance(revealed, list):
        if len(protected) != len(revealed):
            raise DatasetError(
                f"{len(revealed)} revealed items do not fit a list of {len(protected)}"
            )
        return [_merged(*items) for items in zip(protected, revealed, strict=True)]
    return revealed


class _Files:
    """
    A file to read and one to make.
    """

    def __init__(
        self, source: Path, target: Path, declared: FileFormat | None, *, overwrite: bool
    ) -> None:
        self._source = source
        self._target = target
        self._companion = Manifest.beside(target)
        self._declared = declared or file_format(source)
        _check_suffix(target, self._declared)
        self._overwrite = overwrite

    def run(
        self, job: _Job, *, dry_run: bool, progress: Progress | None
    ) -> tuple[int, Manifest | None]:
        """
        Do a job, and return how many records it wrote and how it describes them.
        """
        with self._opened() as file:
            for path in (self._target, self._companion):
                if path.exists() and path.samefile(self._source):
                    raise DatasetError(f"{path} is the input as well")
            detected = self._detected(file)
            stage = rehearsed if dry_run else staged
            with stage(self._target, self._companion, overwrite=self._overwrite) as made:
                rows = _stream(job, detected, file, made.file, progress)
                manifest = job.finish(rows, detected)
                made.publish(None if manifest is None else manifest.to_json().encode())
        return rows, manifest

    def _opened(self) -> io.BufferedReader:
        try:
            return self._source.open("rb")
        except OSError as error:
            problem = reason(error)
        raise DatasetError(f"{self._source} cannot be read: {problem}")

    def _detected(self, file: io.BufferedReader) -> FileFormat:
        try:
            return self._declared.detect(file)
        except OSError as error:
            problem = reason(error)
        raise DatasetError(f"{self._source} cannot be read: {problem}")


def _path(name: str, path: str | os.PathLike[str]) -> Path:
    if holds_key(os.fspath(path)):
        del path
        raise DatasetError(f"the path of the {name} is asked for, got what looks like a key")
    return Path(path)


def _check_suffix(target: Path, written: FileFormat) -> None:
    told = SUFFIXES.get(target.suffix.lower(), written)
    if told.name != written.name:
        raise DatasetError(
            f"the output has the format of the input, {written.name}, and its suffix says "
            f"{told.name}"
        )


def _described(manifest: Manifest) -> FileFormat:
    if manifest.format == JSONLines.name:
        return JSONLines()
    if manifest.format != CSV.name or manifest.options.keys() != CSV().options.keys():
        raise DatasetError("the manifest describes a file in a format not known here")
    options = manifest.options
    return CSV(delimiter=options["delimiter"], encoding=options["encoding"])


def _stream(
    job: _Job,
    file_format: FileFormat,
    file: io.BufferedReader,
    out: BinaryIO,
    progress: Progress | None,
) -> int:
    reader = file_format.reader(file)
    header = None if reader.header is None else job.header(reader.header)
    writer = file_format.writer(out, header)
    records = job.records(reader)
    part = _meter(file)
    rows = 0
    try:
        for record in records:
            writer.record(record)
            rows += 1
            if progress is not None and rows % REPORT_EVERY == 0:
                progress(rows, part())
    except PrivkitError as error:
        error.row = rows + 1
        raise
    writer.finish()
    if progress is not None:
        progress(rows, 1.0)
    return rows


def _meter(file: io.BufferedReader) -> Callable[[], float | None]:
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode) or status.st_size == 0:
        return lambda: None
    return lambda: min(file.tell() / status.st_size, 1.0)
