"""Sentences spoken by espeak-ng, with the moment at which each word begins: exact truth, synthetic voices.

A program of its own (`python -m bench._spoken FOLDER`), because the library that it loads is GPL: it writes one WAV a
sentence and `truth.json`. Sentences are the texts that the data's recordings say.
"""

import ctypes
import ctypes.util
import json
import sys
import wave
from pathlib import Path
from typing import Any

VOICES = ("en-us", "en-gb", "en-gb-scotland", "en-us+f3", "en-gb+f2", "en-us+m7")
SPEEDS = (140, 165, 190)  # words a minute
RETRIEVE, UTF8, WORD, END = 1, 1, 1, 0
RATE_OF_SPEECH = 1


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int), ("unique", ctypes.c_uint), ("text_position", ctypes.c_int), ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int), ("sample", ctypes.c_int), ("user", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    )  # fmt: skip


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


def available() -> bool:
    """Whether the library is on this machine."""
    return ctypes.util.find_library("espeak-ng") is not None


class Voice:
    """The library, opened once in a process."""

    def __init__(self) -> None:
        self.library: Any = ctypes.CDLL(ctypes.util.find_library("espeak-ng") or "libespeak-ng.so.1")
        self.rate = int(self.library.espeak_Initialize(RETRIEVE, 0, None, 0))
        self.samples = bytearray()
        self.starts: list[tuple[int, int, float]] = []  # place in the text, length, seconds
        self._kept = _Callback(self._take)
        self.library.espeak_SetSynthCallback(self._kept)

    def _take(self, samples: Any, count: int, events: Any) -> int:
        if samples and count > 0:
            self.samples += ctypes.string_at(samples, 2 * count)
        at = 0
        while events[at].type != END:
            if events[at].type == WORD:
                event = events[at]
                self.starts.append((event.text_position - 1, event.length, event.audio_position / 1000))
            at += 1
        return 0

    def say(self, text: str, *, voice: str, words_a_minute: int) -> tuple[bytes, list[tuple[str, float]]]:
        """16-bit samples and (word, start in seconds)."""
        self.samples, self.starts = bytearray(), []
        self.library.espeak_SetVoiceByName(voice.encode())
        self.library.espeak_SetParameter(RATE_OF_SPEECH, words_a_minute, 0)
        data = text.encode()
        self.library.espeak_Synth(data, len(data) + 1, 0, 1, 0, UTF8, None, None)
        self.library.espeak_Synchronize()
        return bytes(self.samples), [(text[a : a + n], s) for a, n, s in self.starts]


def main(folder: Path, texts: Path) -> None:
    """Writes a sound for each text, in turns of voices and speeds."""
    voice, truth = Voice(), []
    for number, text in enumerate(json.loads(texts.read_text("utf-8"))):
        name, speed = VOICES[number % len(VOICES)], SPEEDS[number % len(SPEEDS)]
        samples, words = voice.say(text, voice=name, words_a_minute=speed)
        with wave.open(str(folder / f"{number:03d}.wav"), "wb") as file:
            file.setparams((1, 2, voice.rate, 0, "NONE", ""))
            file.writeframes(samples)
        rows = [{"text": w, "start": s} for w, s in words]
        truth.append({"file": f"{number:03d}.wav", "voice": name, "words_a_minute": speed, "words": rows})
    (folder / "truth.json").write_text(json.dumps(truth))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
