"""Model weights: their papers, where they lie, how they are fetched.

Nothing here is needed for a run: a probe without its weights answers "cannot tell". Only `fetch` touches the network.
"""

from safelight.weights.catalogue import File, Licence, Manifest, broken, catalogue, manifest, read
from safelight.weights.fetch import fetch
from safelight.weights.store import State, digests, folder, installed, state, used

__all__ = [
    "File", "Licence", "Manifest", "State", "broken", "catalogue", "digests", "fetch", "folder", "installed",
    "manifest", "read", "state", "used",
]  # fmt: skip
