"""What was measured of a shot, in sentences."""

from collections.abc import Mapping
from typing import Any

from safelight.words import many

Facts = Mapping[str, Any]
NAMES = ("steadiness", "motion", "sharpness", "exposure", "faces")
CAMERA = {"static": "the camera stands", "wanders": "the camera wanders"}


def sentences(facts: Facts) -> dict[str, str]:
    """A sentence for each of `NAMES` that is there."""
    return {name: _sentence(name, facts[name]) for name in NAMES if name in facts}


def marks(facts: Facts) -> list[str]:
    """The facts as words to search for and to be listed by: `tripod`, `pan left`, `soft`, `2 faces`. What is as it
    should be has none."""
    told = []
    steady, motion, sharp, light, faces = (facts.get(name, {}) for name in NAMES)
    told += [steady["kind"]] if "kind" in steady else []
    told += [way for way in motion.get("camera", ()) if way != "static"]
    told += ["soft"] if sharp.get("kind") == "soft" else []
    told += [light["kind"]] if light.get("kind", "normal") != "normal" else []
    told += [many(faces["count"], "face")] if faces.get("count") else []
    return told


def _sentence(name: str, fact: Mapping[str, Any]) -> str:
    if "cannot_tell" in fact:
        return f"Cannot tell {name}: {fact['cannot_tell']}."
    return _SAY[name](fact)


def _steadiness(fact: Mapping[str, Any]) -> str:
    told = {"tripod": "Steady as on a tripod", "handheld": "Handheld", "shaky": "Shaky"}[fact["kind"]]
    return f"{told}: it trembles by {100 * fact['shake']:.2f} % of the picture's width."


def _motion(fact: Mapping[str, Any]) -> str:
    ways = fact["camera"]
    told = CAMERA.get(ways[0]) or " and ".join(ways)
    more = f", {100 * fact['speed']:.0f} % of the width a second" if ways != ["static"] else ""
    zoom = f", {fact['zoom']:.2f} times as large at the end" if any(w.startswith("zoom") for w in ways) else ""
    return f"{told[0].upper()}{told[1:]}{more}{zoom}."


def _sharpness(fact: Mapping[str, Any]) -> str:
    if fact["kind"] == "sharp":
        return f"Sharp: blurred with a chance of {100 * fact['blur']:.0f} %."
    cause = {"motion": ", by motion", "defocus": ", out of focus"}.get(fact["cause"], "")
    return f"Soft even where it is sharpest{cause} ({100 * fact['blur']:.0f} %)."


def _exposure(fact: Mapping[str, Any]) -> str:
    told = {
        "dark": "Dark", "bright": "Bright", "clipped": "Highlights are clipped", "normal": "Exposure in range",
    }[fact["kind"]]  # fmt: skip
    return (
        f"{told}: middle tone at {100 * fact['median']:.0f} %, {100 * fact['white']:.1f} % white, "
        f"{100 * fact['black']:.1f} % black."
    )


def _faces(fact: Mapping[str, Any]) -> str:
    if not fact["count"]:
        return "No face in its key frame."
    closed = " Somebody's eyes are closed in all frames looked at." if fact["closed"] else ""
    return (
        f"{many(fact['count'], 'face')} in its key frame, the largest {100 * fact['largest']:.0f} % "
        f"of the picture's height.{closed}"
    )


_SAY = {
    "steadiness": _steadiness, "motion": _motion, "sharpness": _sharpness, "exposure": _exposure, "faces": _faces,
}  # fmt: skip
