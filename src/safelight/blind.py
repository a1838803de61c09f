"""What nobody is told of an item before it is decided. The one rule of the app, the report and `safelight explain`.

Of an item that a coin drew to be judged without its suggestion: the suggestion. How long a person takes without one is
what the time that suggestions save is measured against, and an item that has been seen with it anywhere, in a list, a
picture or a reason of its neighbour, measures nothing.

Of an item whose task is done alone in this shoot: how sure the machine is. Only what a coin drew, to be looked at in
the place of its kind, waits there with a high score, so that the score would name it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from safelight import earned, params, plugins
from safelight.domain import Because, Cull, Drawn, Edit, Proposal, Say
from safelight.earned import Coins
from safelight.state import POLICY, Footage, Judged, Photo, ShootState
from safelight.store.library import Library

CODE, TEXT = "without", "Shown without a suggestion: decide for yourself."
SURE, LATER = "sure_later", "How sure the machine is, is told once you have decided."


@dataclass(frozen=True, slots=True, kw_only=True)
class Veil:
    """What is held back in a shoot: by photo, the operators that are judged without a suggestion, answered or not; and
    the tasks of which nobody is told how sure the machine is."""

    controls: Mapping[str, frozenset[str]] = field(default_factory=dict)
    unsaid: frozenset[str] = frozenset()


def veil(library: Library, shoot: str) -> Veil:
    """What was drawn so in a shoot."""
    return drawn(earned.coins(library, shoot))


def drawn(coins: Coins) -> Veil:
    """What these coins hold back."""
    controls: dict[str, set[str]] = {}
    unsaid = set()
    for (asset, operator), coin in coins.items():
        if coin.drawn is Drawn.CONTROL:
            controls.setdefault(asset, set()).add(operator)
        if coin.lot is not None:
            unsaid.add(operator)
    return Veil(controls={asset: frozenset(names) for asset, names in controls.items()}, unsaid=frozenset(unsaid))


def of(drawn: Veil, about: Judged) -> frozenset[str]:
    """The operators whose suggestion for a photo or a clip nobody may see yet."""
    names = (n for n in drawn.controls.get(about.id, ()) if n in about.proposals and about.proposals[n].offers)
    return frozenset(name for name in names if not _said(about, name))


def unseen(drawn: Veil, about: Iterable[Judged]) -> frozenset[tuple[str, str]]:
    """(photo or clip, operator) whose suggestion nobody has been shown: no answer can mean it."""
    return frozenset((one.id, name) for one in about if one.id in drawn.controls for name in of(drawn, one))


def hides(library: Library, state: ShootState, about: Judged, operator: str) -> bool:
    """Whether nobody has been shown what an operator suggests for this photo or clip."""
    return operator in of(drawn(earned.coins(library, state.shoot.id, [about.id])), about)


def seen(state: ShootState, drawn: Veil, photo: Photo) -> Photo:
    """The photo as people may see it: without those suggestions, without what its neighbours say of them, and without
    scores that would tell how it was drawn."""
    hidden = of(drawn, photo)
    unsure = {n for n in drawn.unsaid if n in photo.proposals and n not in hidden and _waits(photo, n)}
    fellows = _fellows(state, drawn, photo)
    if not hidden and not fellows and not unsure:
        return photo
    proposals = dict(photo.proposals)
    for name in hidden:
        proposals[name] = _blank(proposals[name])
    for name in unsure:
        proposals[name] = _unsaid(proposals[name])
    if fellows and "cull" in proposals and "cull" not in hidden:
        proposals["cull"] = _silent(proposals["cull"], fellows)
    return replace(photo, proposals=proposals)


def seen_clip(drawn: Veil, clip: Footage) -> Footage:
    """The clip as people may see it."""
    hidden = of(drawn, clip)
    if not hidden:
        return clip
    return replace(clip, proposals={n: _blank(p) if n in hidden else p for n, p in clip.proposals.items()})


def seen_state(state: ShootState, drawn: Veil) -> ShootState:
    """The shoot as people may see it."""
    photos = {i: seen(state, drawn, photo) for i, photo in state.photos.items()}
    by_path = {path: photos[p.id] for path, p in state.by_path.items()}
    clips = {path: seen_clip(drawn, clip) for path, clip in state.clips.items()}
    footage = {i: clips[clip.path] for i, clip in state.footage.items()}
    return replace(state, photos=photos, by_path=by_path, clips=clips, footage=footage)


def is_blank(proposal: Proposal | None) -> bool:
    """Whether this stands in the place of a suggestion that is not shown."""
    return proposal is not None and any(b.code == CODE for b in proposal.because)


def is_unsaid(proposal: Proposal | None) -> bool:
    """Whether the score of this proposal is not told yet."""
    return proposal is not None and any(b.code == SURE for b in proposal.because)


def hidden(photo: Photo) -> list[str]:
    """The operators of a photo that `seen` has left without a suggestion."""
    return sorted(name for name, proposal in photo.proposals.items() if is_blank(proposal))


def _said(photo: Judged, name: str) -> bool:
    """Whether a person has decided, so that nothing is to be hidden any more; who is still at it has not."""
    verdict = photo.standing.get(name)
    decided = verdict is not None and verdict.say is not Say.ESCALATE and not verdict.by.startswith(POLICY)
    begun = verdict is not None and verdict.params is not None and bool(verdict.params.get("open"))
    return (decided and not begun) or name in photo.contested


def _waits(photo: Photo, name: str) -> bool:
    """Whether a suggestion was neither answered by a person nor done alone."""
    verdict = photo.standing.get(name)
    return verdict is None or verdict.say is Say.ESCALATE


def _fellows(state: ShootState, drawn: Veil, photo: Photo) -> dict[str, str]:
    """Other frames of a photo's group whose cull is judged without a suggestion: their paths by id."""
    if photo.group is None:
        return {}
    others = (state.photos.get(m) for m in photo.group.members if m != photo.id and m in drawn.controls)
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


def _unsaid(proposal: Proposal) -> Proposal:
    """The same without its score."""
    if proposal.score is None:
        return proposal
    told = Because(evidence="", value=None, text=LATER, code=SURE)
    return replace(proposal, score=None, because=(*proposal.because, told))


def _silent(proposal: Proposal, fellows: Mapping[str, str]) -> Proposal:
    """The same without the reasons that name one of these frames, and without a tie with one."""
    kept = tuple(b for b in proposal.because if not _names(b.text, fellows.values()))
    values = dict(proposal.edit.params)
    if values.get("tie_with") in fellows:
        values["tie_with"] = ""
    return replace(proposal, because=kept, edit=replace(proposal.edit, params=values))


def _names(text: str, paths: Iterable[str]) -> bool:
    return any(path in text or PurePosixPath(path).name in text for path in paths)
