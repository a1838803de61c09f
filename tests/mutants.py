"""Modules with one guard taken out: what no test notices is not guarded."""

import ast
import copy
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType


def unguarded(module: ModuleType) -> Iterator[tuple[int, ModuleType]]:
    """For each `raise` of a module, its line and the module without it; what follows goes on as if all were well."""
    assert module.__file__ is not None
    tree = ast.parse(Path(module.__file__).read_text("utf-8"))
    count = sum(isinstance(node, ast.Raise) for node in ast.walk(tree))
    for number in range(count):
        mutant = copy.deepcopy(tree)
        remover = _Remover(number)
        remover.visit(mutant)
        made = ModuleType(module.__name__)
        made.__file__ = module.__file__
        made.__package__ = module.__package__
        exec(compile(ast.fix_missing_locations(mutant), module.__file__, "exec"), made.__dict__)  # noqa: S102 - ours
        yield remover.line, made


class _Remover(ast.NodeTransformer):
    def __init__(self, number: int) -> None:
        self.left, self.line = number, 0

    def visit_Raise(self, node: ast.Raise) -> ast.stmt:
        self.left -= 1
        if self.left != -1:
            return node
        self.line = node.lineno
        return ast.copy_location(ast.Pass(), node)
