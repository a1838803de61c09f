import errno
import os

import pytest

from safelight.files import json_text, write_atomic


def test_files_appear_whole(tmp_path):
    path = tmp_path / ("very long name " * 15 + "📷\n.jpg")
    write_atomic(path, b"one")
    write_atomic(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("trouble", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_whatever_stops_a_write_leaves_what_was_there(tmp_path, monkeypatch, trouble):
    path = tmp_path / "a.jpg"
    write_atomic(path, b"before")

    def stopped(_):
        raise trouble

    monkeypatch.setattr(os, "fsync", stopped)
    with pytest.raises(type(trouble)):
        write_atomic(path, b"after")
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_json_is_readable_and_never_breaks_on_names():
    assert json_text({"b": "é", "a": 1}) == '{"a":1,"b":"é"}'
    assert json_text(os.fsdecode(b"caf\xe9")) == '"caf\\udce9"'
    with pytest.raises(ValueError, match="compliant"):
        json_text(float("nan"))
