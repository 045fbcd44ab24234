"""Zip archives that nobody vouches for: looked at before anything is unpacked, and unpacked within bounds."""

from __future__ import annotations

import io
import struct
import zipfile

from vaead_core.errors import InputError, refusing

DIRECTORY_BYTES = 1 << 20
_READ = 1 << 20


def open_zip(content: bytes, name: str, most: int, most_bytes: int, refusal: type[InputError], whole: str) -> zipfile.ZipFile:
    """An archive of at most `most` plain entries that say to hold at most `most_bytes`; none is unpacked yet.

    Its directory is measured before it is read, so that a long one takes no memory. Raises `refusal`.
    whole: what should have been packed.
    """
    end = content[-22:]
    if len(end) < 22 or end[:4] != b"PK\x05\x06" or content[-42:-38] == b"PK\x06\x07":
        raise refusal(f"{name} is not a zip archive that vaead reads; pack {whole} as a plain .zip.")
    if struct.unpack("<I", end[12:16])[0] > DIRECTORY_BYTES:
        raise refusal(f"{name} holds more than {most} files, which is the most that is read.")
    damaged = refusal(f"{name} is a damaged zip archive; pack or copy it again.")
    with refusing(damaged, zipfile.BadZipFile, ValueError, NotImplementedError, OSError, struct.error):
        archive = zipfile.ZipFile(io.BytesIO(content))
    entries = archive.infolist()
    if len(entries) > most:
        raise refusal(f"{name} holds {len(entries)} files, more than the {most} that are read.")
    if not all(entry.filename for entry in entries):
        raise refusal(f"{name} holds a file without a name; pack {whole} anew.")
    if any(entry.flag_bits & 1 or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for entry in entries):
        raise refusal(f"{name} is encrypted or packed in an unusual way; pack it as a plain .zip.")
    if sum(entry.file_size for entry in entries) > most_bytes:
        raise refusal(f"{name} unpacks to more than {most_bytes >> 20} MB, which is the most that is read.")
    return archive


def content_of(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most_bytes: int, name: str, refusal: type[InputError]) -> bytes:
    """What an entry holds, unpacked piece by piece up to `most_bytes`, whatever size it claims. Raises `refusal`.

    name: what the sentence calls the entry.
    """
    pieces, size = [], 0
    damaged = refusal(f"{name} is damaged; pack or copy it again.")
    with refusing(damaged), archive.open(entry) as stream:  # zlib.error, BadZipFile, EOFError and others, by what is damaged
        while piece := stream.read(_READ):
            pieces.append(piece)
            size += len(piece)
            if size > most_bytes:
                raise refusal(f"{name} unpacks to more than {most_bytes / (1 << 20):g} MB, which is the most that is read.")
    return b"".join(pieces)
