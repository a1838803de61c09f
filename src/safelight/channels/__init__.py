"""Rules of the places where files go: marketplaces, shops, printers, clients. Checked on the file as it was written.

A channel is a TOML file of rules; a client's file adds swatches, forbidden operators and the channels it sells
through.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from safelight.channels import encoded, rules, sets
from safelight.channels.answer import Answer
from safelight.channels.book import Channel, channel, client, known
from safelight.channels.encoded import Encoded
from safelight.channels.rules import Known
from safelight.channels.sets import Written


def examine(file: Encoded | Path, channels: Iterable[Channel], *, record: Known | None = None) -> tuple[Answer, ...]:
    """What the rules of some channels say about one written file; each answer is called `channel.rule`.

    Raises the errors of `media.image.read` for a path that cannot be decoded."""
    file = encoded.read(file) if isinstance(file, Path) else file
    record = record or Known()
    found = []
    for each in channels:
        asked = [_ask(file, rule.name, rule.settings, record) for rule in each.rules if rule.about(file.path)]
        found += [_named(each, answer) for answer in (*asked, *_forbidden(each, record))]
    return tuple(found)


def examine_set(files: Sequence[Written], channels: Iterable[Channel]) -> list[tuple[Path | None, Answer]]:
    """What the rules say about all files together: (file or None for the set, answer)."""
    found = []
    for each in channels:
        for rule in each.set_rules:
            ask = sets.SET_RULES[rule.name][1]
            there = [f for f in files if rule.about(f.path)]
            found += [(path, _named(each, answer)) for path, answer in ask(there, rule.settings)]
    return found


def _ask(file: Encoded, name: str, settings: object, record: Known) -> Answer:
    kind, _, own = name.partition(".")
    if kind == "swatch":
        assert isinstance(settings, rules.Swatch)
        return rules.swatch(file, settings, own)
    ask = rules.RULES[name][1]
    return ask(file, settings, record) if ask is rules.disclosure else ask(file, settings)


def _forbidden(channel_: Channel, record: Known) -> list[Answer]:
    used = [name for name in record.operators if name in channel_.forbidden]
    if not used:
        return []
    words = " and ".join(name.replace("_", " ") for name in used)
    return [
        Answer(rule="forbidden", held=False, text=f"{words.capitalize()} is not wanted by {channel_.name}.", value=used,
               wanted=[], remedy="Reject that edit with `safelight verdict`.")
    ]  # fmt: skip


def _named(channel_: Channel, answer: Answer) -> Answer:
    return replace(answer, rule=f"{channel_.name}.{answer.rule}")


__all__ = ["Answer", "Channel", "Encoded", "Known", "Written", "channel", "client", "examine", "examine_set", "known"]
