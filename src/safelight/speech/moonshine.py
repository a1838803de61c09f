"""Moonshine tiny, English, run from its two graphs by onnxruntime: the recogniser that is used by default.

Jeffries et al. 2024 (MIT). The encoder sees raw samples; the decoder gives one token at a time. A word's confidence is
the smallest probability among its tokens.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from safelight.speech.activity import RATE, Samples, session
from safelight.speech.recogniser import Recogniser, Said

NAME = "moonshine_tiny_en"
HEADS, WIDTH = 8, 36
BEGIN, END = 1, 2
TOKENS_A_SECOND, TOKENS_MORE = 6.5, 4  # nobody speaks faster; what comes after is a loop
SPACE = "▁"
LEAST = 1600  # samples; the encoder's first filters are as long as that


def hear(samples: Samples, weights: Mapping[str, Mapping[str, Path]]) -> Sequence[Said]:
    """Words of up to about 12 s of speech with their confidence, in order; no times."""
    files = weights[NAME]
    encoder, decoder = session(files["encoder_model.ort"]), session(files["decoder_model_merged.ort"])
    vocabulary = _vocabulary(files["tokenizer.bytes"])
    x = np.pad(samples, (0, max(LEAST - len(samples), 0)))[None].astype(np.float32)
    mask = np.ones(x.shape, np.int64)  # of samples, not of what the encoder makes of them
    hidden = encoder.run(None, {"input_values": x, "attention_mask": mask})[0]
    kept = {i.name: np.zeros((1, HEADS, 0, WIDTH), np.float32) for i in decoder.get_inputs() if "past" in i.name}
    named = [o.name.replace("present", "past_key_values") for o in decoder.get_outputs()[1:]]
    last, tokens = BEGIN, []
    for step in range(int(x.shape[1] / RATE * TOKENS_A_SECOND) + TOKENS_MORE):
        logits, *states = decoder.run(None, {
            "encoder_attention_mask": mask, "input_ids": np.array([[last]]), "encoder_hidden_states": hidden,
            "use_cache_branch": np.array([step > 0]), **kept,
        })  # fmt: skip
        # What the encoder's states were turned into is given out once, in the first step.
        kept |= {n: v for n, v in zip(named, states, strict=True) if step == 0 or ".decoder." in n}
        raw = logits[0, -1].astype(np.float64)
        chances = np.exp(raw - raw.max())
        last = int(chances.argmax())
        if last == END:
            break
        tokens.append((vocabulary[last], float(chances[last] / chances.sum())))
    return _words(tokens)


def _words(tokens: Sequence[tuple[bytes, float]]) -> list[Said]:
    mark = SPACE.encode()
    parts: list[tuple[bytes, float]] = []
    for text, chance in tokens:
        if text.startswith(mark) or not parts:
            parts.append((text.removeprefix(mark), chance))
        else:
            before, least = parts[-1]
            parts[-1] = (before + text, min(least, chance))
    said = [(text.decode("utf-8", "replace").strip(), chance) for text, chance in parts]
    return [Said(text=text, confidence=round(chance, 4)) for text, chance in said if text]


@cache
def _vocabulary(path: Path) -> tuple[bytes, ...]:
    """Tokens by number. Each is its length (a byte, or two from 128 on) and so many bytes."""
    data, at, found = path.read_bytes(), 0, []
    while at < len(data):
        length, at = data[at], at + 1
        if length >= 128:
            length, at = length - 128 + 128 * data[at], at + 1
        found.append(data[at : at + length])
        at += length
    return tuple(found)


recogniser = Recogniser(
    name=NAME, version=1, languages=("en",), weights=(NAME,), hear=hear,
    about="Moonshine tiny for English, 27 million parameters.",
)  # fmt: skip
