"""Files: what an upload may be, and the bytes of each."""

from hashlib import sha256

from mock_server.core.json_values import numbered, pointer
from mock_server.core.refusals import Violation
from mock_server.core.snapshot_checks.document import Document, Violations, missing, none_of
from mock_server.core.uploads import is_bare_name


def files(document: Document) -> Violations:
    """Files that no upload could have made."""
    rules = document.facts.uploads
    for place, file in numbered("/files", document.snapshot.files):
        if file.kind not in rules.kinds:
            yield none_of(f"{place}/kind", rules.kinds)
        if file.mime_type not in rules.mime_types:
            yield none_of(f"{place}/mime_type", rules.mime_types)
        if not is_bare_name(file.name):
            sentence = "must be 1 to 255 printable characters without / or \\"
            yield Violation(f"{place}/name", "filename", sentence)


def contents(document: Document) -> Violations:
    """Files without their bytes, bytes without a file, and too many bytes."""
    snapshot = document.snapshot
    for place, file in numbered("/files", snapshot.files):
        content = snapshot.contents.get(file.content)
        if content is None:
            yield missing(f"{place}/content", "content", file.content)
        elif len(content) != file.size_bytes:
            sentence = f"is {file.size_bytes}; its content has {len(content)}"
            yield Violation(f"{place}/size_bytes", "size", sentence)
    if sum(file.size_bytes for file in snapshot.files) > snapshot.rules.stored_upload_bytes:
        sentence = f"are more than {snapshot.rules.stored_upload_bytes} bytes, which /rules allows"
        yield Violation("/files", "limit", sentence)
    wanted = {file.content for file in snapshot.files}
    for digest, content in snapshot.contents.items():
        place = pointer(["contents", digest])
        if sha256(content).hexdigest() != digest:
            yield Violation(place, "sha256", "is not the digest of these bytes")
        elif digest not in wanted:
            yield Violation(place, "unused", "no file has this content")
