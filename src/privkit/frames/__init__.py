"""
Tables in and out: files of records, streamed one record at a time.
"""

from privkit.frames.csv_file import CSV
from privkit.frames.files import FileFormat, file_format, pseudonymize_file, reidentify_file
from privkit.frames.json_lines import JSONLines

__all__ = [
    "CSV",
    "FileFormat",
    "JSONLines",
    "file_format",
    "pseudonymize_file",
    "reidentify_file",
]
