"""What nobody is shown before they have decided: suggestions of items that a coin drew to be judged without one.

How long a person takes without a suggestion is what the time that suggestions save is measured against. An item that
has been seen with its suggestion anywhere, in a list, a picture or a reason of its neighbour, measures nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import PurePosixPath

from safelight import earned, params, plugins
from safelight.domain import Because, Cull, Drawn, Edit, Proposal, Say
from safelight.state import POLICY, Photo, ShootState
from safelight.store.library import Library

Controls = Mapping[str, frozenset[str]]  # by photo, the operators that are judged without a suggestion
CODE = "without"
TEXT = "Shown without a suggestion: decide for yourself."


def controls(library: Library, shoot: str) -> Controls:
    """What was drawn so in a shoot, answered or not."""
    found: dict[str, set[str]] = {}
    for (asset, operator), coin in earned.coins(library, shoot).items():
        if coin.drawn is Drawn.CONTROL:
            found.setdefault(asset, set()).add(operator)
    return {asset: frozenset(names) for asset, names in found.items()}


def of(drawn: Controls, photo: Photo) -> frozenset[str]:
    """The operators whose suggestion for a photo nobody may see yet."""
    names = (name for name in drawn.get(photo.id, ()) if name in photo.proposals and photo.proposals[name].offers)
    return frozenset(name for name in names if not _said(photo, name))


def seen(state: ShootState, drawn: Controls, photo: Photo) -> Photo:
    """The photo as people may see it: without those suggestions, and without what its neighbours say of them."""
    hidden = of(drawn, photo)
    fellows = _fellows(state, drawn, photo)
    if not hidden and not fellows:
        return photo
    proposals = {name: _blank(p) if name in hidden else p for name, p in photo.proposals.items()}
    if fellows and "cull" in proposals and "cull" not in hidden:
        proposals["cull"] = _silent(proposals["cull"], fellows)
    return replace(photo, proposals=proposals)


def seen_state(state: ShootState, drawn: Controls) -> ShootState:
    """The shoot as people may see it."""
    return replace(state, photos={i: seen(state, drawn, photo) for i, photo in state.photos.items()})


def is_blank(proposal: Proposal | None) -> bool:
    """Whether this stands in the place of a suggestion that is not shown."""
    return proposal is not None and any(b.code == CODE for b in proposal.because)


def hidden(photo: Photo) -> list[str]:
    """The operators of a photo that `seen` has left without a suggestion."""
    return sorted(name for name, proposal in photo.proposals.items() if is_blank(proposal))


def _said(photo: Photo, name: str) -> bool:
    """Whether a person has decided, so that nothing is to be hidden any more."""
    verdict = photo.standing.get(name)
    decided = verdict is not None and verdict.say is not Say.ESCALATE and not verdict.by.startswith(POLICY)
    return decided or name in photo.contested


def _fellows(state: ShootState, drawn: Controls, photo: Photo) -> dict[str, str]:
    """Other frames of a photo's group whose cull is judged without a suggestion: their paths by id."""
    if photo.group is None:
        return {}
    others = (state.photos.get(m) for m in photo.group.members if m != photo.id and m in drawn)
    return {other.id: other.path for other in others if other is not None and "cull" in of(drawn, other)}


def _blank(proposal: Proposal) -> Proposal:
    """A proposal of nothing: it waits like the other, and says nothing of what the machine would do."""
    op = plugins.operators().get(proposal.edit.operator)
    values = {} if op is None else dict(params.to_json(op.params()))
    if "decision" in values:
        values |= {"decision": Cull.UNDECIDED.value}
    return replace(
        proposal, score=None, alternatives=(), cannot_tell=None, group=None,
        edit=Edit(operator=proposal.edit.operator, version=proposal.edit.version, params=values),
        because=(Because(evidence="", value=None, text=TEXT, code=CODE),),
    )  # fmt: skip


def _silent(proposal: Proposal, fellows: Mapping[str, str]) -> Proposal:
    """The same without the reasons that name one of these frames, and without a tie with one."""
    kept = tuple(b for b in proposal.because if not _names(b.text, fellows.values()))
    values = dict(proposal.edit.params)
    if values.get("tie_with") in fellows:
        values["tie_with"] = ""
    return replace(proposal, because=kept, edit=replace(proposal.edit, params=values))


def _names(text: str, paths: Iterable[str]) -> bool:
    return any(path in text or PurePosixPath(path).name in text for path in paths)
