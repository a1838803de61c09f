"""A made Lightroom catalogue, with no more in it than is read of one."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

Photo = tuple[str, str, str, object, object] | tuple[str, str, str, object, object, str]


def catalogue(path: Path, photos: Sequence[Photo]) -> Path:
    """A Lightroom catalogue with what is read of one: photos as (folder, name, extension, pick, rating) and,
    where it is known, when it was taken."""
    with closing(sqlite3.connect(path)) as made, made:
        made.executescript(
            """
            create table AgLibraryRootFolder (id_local integer primary key, absolutePath text);
            create table AgLibraryFolder (id_local integer primary key, rootFolder integer, pathFromRoot text);
            create table AgLibraryFile (
                id_local integer primary key, folder integer, baseName text, extension text
            );
            create table Adobe_images (
                id_local integer primary key, rootFile integer, masterImage integer, pick real, rating real,
                captureTime text
            );
            insert into AgLibraryRootFolder values (1, 'D:/Pictures/');
            """
        )
        for i, (folder, name, extension, pick, rating, *taken) in enumerate(photos):
            made.execute("insert into AgLibraryFolder values (?, 1, ?)", (i, folder))
            made.execute("insert into AgLibraryFile values (?, ?, ?, ?)", (i, i, name, extension))
            made.execute(
                "insert into Adobe_images values (?, ?, null, ?, ?, ?)", (i, i, pick, rating, *(taken or [None]))
            )
        made.execute("insert into Adobe_images values (99, 0, 0, -1, null, null)")  # a virtual copy says nothing
    return path
