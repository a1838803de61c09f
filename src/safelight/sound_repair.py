"""The repair of one file's sound: what was found decides what is done, and the result is measured.

    heard ─▶ faults ─▶ trial ─▶ repairs ─▶ written ─▶ heard again

Hum and clicks are mended where they were found and a trial took them out without voice, noise is turned down where
somebody speaks, nothing else is touched.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from safelight import dialogue, mending, weights
from safelight.domain import Json
from safelight.errors import UsageError
from safelight.files import written_whole
from safelight.media import levelled, loudness, origin, signing, sound
from safelight.media.effects import Repairs
from safelight.media.loudness import Loudness, Target
from safelight.media.repair.chain import repaired
from safelight.media.repair.deepfilter import WEIGHTS, Model
from safelight.media.repair.quieter import Quieter
from safelight.operators import sound_repair as of_sound
from safelight.probes._faults.sound import Listening
from safelight.probes._faults.spans import Fault, told
from safelight.words import many

NO_WEIGHTS = "Noise was left: its weights are not on this machine. Fetch them: safelight models fetch deepfilter"
LEFT = "Noise was left: nobody speaks above it, what is said is clean, or the voice would go down with it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """What was done, with loudness before and after and the faults that are left."""

    repairs: Repairs
    before: Loudness
    after: Loudness
    left: tuple[Fault, ...]
    notes: tuple[str, ...]

    def plain(self) -> dict[str, Json]:
        """As JSON."""
        return {
            "hum": [{"start": float(a), "end": float(b), "mains_hz": hertz} for a, b, hertz in self.repairs.hum],
            "clicks": [{"start": float(a), "end": float(b)} for a, b in self.repairs.clicks],
            "noise_db": self.repairs.noise_db, "before_lufs": self.before.integrated_lufs,
            "after_lufs": self.after.integrated_lufs, "true_peak_dbtp": self.after.true_peak_dbtp,
            "left": [{"kind": f.kind, "start": float(f.start), "end": float(f.end)} for f in self.left],
            "notes": list(self.notes),
        }  # fmt: skip


def heard(path: Path) -> list[Fault]:
    """Faults of a file's sound that are likely. Raises NotMedia where it has none."""
    listening = Listening()
    for block in sound.blocks(path):
        listening.hear(block)
    return told(listening.done())


def proposed(path: Path, *, noise_db: float, keep: Collection[str] = ()) -> tuple[Repairs, list[str]]:
    """What the faults of a file's sound ask for, without what is to be kept, and why some are left, in sentences."""
    rows = [
        f.plain() for f in heard(path)
        if (f.kind == "hum" and "hum" not in keep) or (f.kind == "click" and "clicks" not in keep)
    ]  # fmt: skip
    tried = mending.tried(sound.blocks(path), rows) if rows else []
    params, left = of_sound.of_faults(tried)
    return replace(params.repairs, noise_db=0.0 if "noise" in keep else noise_db), left


def repair(
    path: Path, out: Path, *, noise_db: float = 12.0, keep: Collection[str] = (), target: Target | None = None
) -> Repaired:
    """Writes the sound of `path`, repaired, to `out`. UsageError for an ending that cannot be written, or a certificate
    that cannot sign."""
    codec = levelled.CODECS.get(out.suffix.lower())
    if codec is None:
        raise UsageError(
            f"Sound is not written as {out.suffix or 'a file without ending'}.",
            remedy=f"Use {', '.join(levelled.CODECS)}.",
        )
    if out.exists() and out.samefile(path):
        raise UsageError(f"{out.name} is the original.", remedy="Give another name; originals are never written to.")
    signing.ready()
    files = weights.installed().get(WEIGHTS)
    repairs, left = proposed(path, noise_db=noise_db, keep=keep)
    quieter = Quieter(Model(files), repairs.noise_db) if files is not None and repairs.noise_db > 0 else None
    with written_whole(out.with_suffix(".wav") if target else out) as place:
        made = repaired(sound.blocks(path), repairs, quieter=quieter)
        levelled.encode(place, made, codec="pcm_s24le" if target else codec)
        changed = bool(repairs.hum or repairs.clicks or (quieter is not None and quieter.seconds > 0))
        notes = [*left, *_notes(repairs, quieter, found=bool(left))]
        if target is not None:
            before = ["Repaired."] if changed else []
            speech = dialogue.of(place, target)
            done = levelled.level(place, out, target, original=path, before_it=before, speech=speech)
            notes += done.notes(target)
            place.unlink()
        else:
            notes += origin.tell_of_sound(place, out, path, how="Repaired." if changed else None)
    return Repaired(repairs=repairs, before=loudness.measure(path), after=loudness.measure(out),
                    left=tuple(heard(out)), notes=tuple(notes))  # fmt: skip


def _notes(repairs: Repairs, quieter: Quieter | None, *, found: bool) -> list[str]:
    notes = [f"Hum of {hertz:g} Hz taken out from {float(a):.1f} to {float(b):.1f} s." for a, b, hertz in repairs.hum]
    if repairs.clicks:
        notes.append(f"{many(len(repairs.clicks), 'click')} filled from what surrounds them.")
    if quieter is not None and quieter.seconds > 0:
        where = f"in {quieter.seconds:.1f} s, where somebody speaks"
        notes.append(f"Noise turned down by at most {quieter.limit_db:g} dB {where}.")
    elif repairs.noise_db > 0:
        notes.append(NO_WEIGHTS if quieter is None else LEFT)
    nothing = "It was written as it is." if found else "Nothing was found to repair; it was written as it is."
    return notes or [nothing]
