"""From paths that a person typed to photos of shoots."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from safelight.api import Library
from safelight.errors import UsageError
from safelight.state import Footage, Photo, ShootState
from safelight.store.objects import FOLDER
from safelight.store.records import File

Found = tuple[ShootState, list[Photo], list[Footage], list[File]]


def find(
    library: Library, paths: Iterable[Path], *, cache: Path | None = None, evidence: bool = True
) -> Iterator[Found]:
    """For each shoot that the paths lie in: its state, the photos named (all below a folder), the clips and
    sounds, and the files named that failed. Raises UsageError for a path that belongs to no shoot."""
    roots: dict[Path, list[Path]] = {}
    for path in paths:
        full = path.expanduser().absolute()
        roots.setdefault(root_of(library, full), []).append(full)
    for root, named in roots.items():
        state = library.state(root, cache=cache, evidence=evidence)
        photos: dict[str, Photo] = {}
        clips: dict[str, Footage] = {}
        failed: dict[str, File] = {}
        for full in named:
            some_photos, some_clips, some_failed = _below(state, root, full)
            if not (some_photos or some_clips or some_failed):
                raise UsageError(f"{full} is not in the library.", remedy=f"safelight run {root}")
            photos |= {p.id: p for p in some_photos}
            clips |= {c.path: c for c in some_clips}
            failed |= {f.path: f for f in some_failed}
        yield state, list(photos.values()), list(clips.values()), list(failed.values())


def clips_known(library: str | None, path: Path) -> list[Footage]:
    """The clips and sounds that a path names, as the shoots of a library know them; none where no shoot does."""
    with Library.open(library) as opened:
        try:
            return [clip for _, _, clips, _ in find(opened, (path,), evidence=False) for clip in clips]
        except UsageError:
            return []


def root_of(library: Library, path: Path) -> Path:
    """The folder of the shoot that a path lies in: the nearest with `.safelight`, else one the library knows."""
    for folder in (path, *path.parents):
        if (folder / FOLDER / "shoot.json").is_file():
            return folder
    resolved = path.resolve()
    known = [Path(s.root) for s in library.shoots() if Path(s.root) in (resolved, *resolved.parents)]
    if not known:
        raise UsageError(f"{path} belongs to no shoot.", remedy="Run `safelight run` on its folder first.")
    return max(known, key=lambda folder: len(folder.parts))


def _below(state: ShootState, root: Path, full: Path) -> tuple[list[Photo], list[Footage], list[File]]:
    if full in (root, root.resolve()):
        return list(state.photos.values()), list(state.clips.values()), state.failed
    base = root if full.is_relative_to(root) else root.resolve()
    relative = (
        str(full.relative_to(base)) if full.is_relative_to(base) else str(full.resolve().relative_to(root.resolve()))
    )
    if relative in state.by_path:
        return [state.by_path[relative]], [], []
    inside = relative + "/"
    photos = [p for path, p in state.by_path.items() if path.startswith(inside)]
    clips = [c for path, c in state.clips.items() if path == relative or path.startswith(inside)]
    return photos, clips, [f for f in state.failed if f.path == relative or f.path.startswith(inside)]
