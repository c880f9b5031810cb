"""Write out a function for known arguments: loops are unrolled, branches chosen, indices are numbers.

What is then left has no table of indices and no array that is reached through one, so that a compiler keeps
every number in a register of its own. Nothing is computed in another way or order. Only functions of this
package are written out; of a neuron come numbers alone.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import linecache
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["Shaped", "written_out"]

_CALLED = {"int": int, "max": max, "min": min, "range": range}  # what is called while the code is written
_NUMBERS = (bool, int, float)
_REFUSED = (ast.Break, ast.Continue, ast.Try, ast.With, ast.Lambda, ast.comprehension, ast.NamedExpr)
_COUNT = itertools.count(1)


class _Unknown:
    def __bool__(self) -> bool:
        raise TypeError("What is not known is neither true nor false.")


_UNKNOWN = _Unknown()


class Shaped:
    """An array of which the shape is known, and some columns; it stays an argument.

    Parameters
    ----------
    shape
        Its shape.
    columns
        ``{k: values}``: what ``array[row, k]`` is for every row.
    """

    def __init__(self, shape: Sequence[int], columns: Mapping[int, Iterable[Any]] | None = None) -> None:
        self.shape = tuple(shape)
        self.columns = {k: tuple(values) for k, values in (columns or {}).items()}

    def __getitem__(self, place: tuple[int, int]) -> Any:
        row, column = place
        return self.columns[column][row]


def written_out(
    function: Callable[..., Any], known: Mapping[str, Any], names: Mapping[str, Any]
) -> Callable[..., Any]:
    """Return a function that does the same for known arguments, which it does not take any more.

    Parameters
    ----------
    function
        One without ``break``, ``continue``, and ``return`` before its end.
    known
        Arguments by name: numbers, arrays, or `Shaped`.
    names
        What other names stand for, where that is not what they stand for in its module.

    Raises
    ------
    NotImplementedError
        If the function has a statement that is not understood.

    Examples
    --------
    >>> from spike2pop_nb.simulation.unrolled import written_out
    >>> def power(x, n):
    ...     y = 1.0
    ...     for _ in range(n):
    ...         y = y * x
    ...     return y
    >>> cube = written_out(power, {"n": 3}, {})
    >>> cube(2.0)
    8.0
    """
    space = {**function.__globals__, **names}
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    assert isinstance(definition, ast.FunctionDef)
    definition.decorator_list = []
    arguments = definition.args
    whole = {name for name, value in known.items() if not isinstance(value, Shaped)} | {*names}
    arguments.args = [argument for argument in arguments.args if argument.arg not in whole]
    _check(definition)
    own = _stored(definition) | {argument.arg for argument in definition.args.args}
    numbers = {
        name: value for name, value in space.items() if isinstance(value, _NUMBERS) and name not in own
    }
    definition.body = list(_Writer(numbers, known).block(definition.body))
    text = ast.unparse(ast.fix_missing_locations(definition))
    file = f"<{definition.name} written out, {next(_COUNT)}>"
    # where Numba looks for the source of what it compiles
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    exec(compile(text, file, "exec"), space)
    made: Callable[..., Any] = space[definition.name]
    return made


class _Writer(ast.NodeTransformer):
    """Goes through statements in their order, and keeps what is known of their names at each."""

    def __init__(self, numbers: Mapping[str, Any], known: Mapping[str, Any]) -> None:
        self.numbers, self.known = dict(numbers), dict(known)

    def value(self, expression: ast.expr) -> Any:
        """Return what an expression is, if that is known."""
        for node in ast.walk(expression):
            if isinstance(node, ast.Call) and not (
                isinstance(node.func, ast.Name) and node.func.id in _CALLED
            ):
                return _UNKNOWN
        code = compile(ast.fix_missing_locations(ast.Expression(expression)), "<known>", "eval")
        try:
            return eval(code, {**self.numbers, **_CALLED, **self.known, "__builtins__": {}})
        except (NameError, KeyError, TypeError, AttributeError):  # something in it is not known
            return _UNKNOWN

    def visit(self, node: ast.AST) -> Any:
        """Put numbers in the place of what is known."""
        if isinstance(node, ast.expr) and not isinstance(node, ast.Constant):
            context = getattr(node, "ctx", None)
            value = self.value(node) if context is None or isinstance(context, ast.Load) else _UNKNOWN
            if isinstance(value, (*_NUMBERS, np.generic)):
                return _constant(value)
        return self.generic_visit(node)

    def block(self, body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
        for statement in body:
            yield from self.statement(ast.parse(ast.unparse(statement)).body[0])

    def statement(self, node: ast.stmt) -> Iterator[ast.stmt]:
        if isinstance(node, ast.Assign):
            yield from self.assigned(node.targets[0], node.value)
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            name = ast.Name(node.target.id, ast.Load())
            yield from self.assigned(node.target, ast.BinOp(name, node.op, node.value))
        elif isinstance(node, ast.For):
            yield from self.loop(node)
        elif isinstance(node, ast.While) and self.value(node.test) is not _UNKNOWN:
            while self.value(node.test):
                yield from self.block(node.body)
        elif isinstance(node, ast.If) and (chosen := self.value(node.test)) is not _UNKNOWN:
            yield from self.block(node.body if chosen else node.orelse)
        elif isinstance(node, ast.If | ast.While):
            yield from self.later(node)
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):  # no docstring
            yield self.visit(node)

    def assigned(self, target: ast.expr, value: ast.expr) -> Iterator[ast.stmt]:
        if isinstance(target, ast.Tuple):
            found = self.value(value)
            if found is not _UNKNOWN:
                names = [name.id for name in target.elts if isinstance(name, ast.Name)]
                self.known.update(zip(names, found, strict=True))
                return
            if isinstance(value, ast.Tuple) and not _names(target) & _names(value):
                for one, its in zip(target.elts, value.elts, strict=True):
                    yield from self.assigned(one, its)
                return
        elif isinstance(target, ast.Name):
            found = self.value(value)
            if found is not _UNKNOWN:
                self.known[target.id] = found
                return
        statement = ast.Assign([target], self.visit(value))
        if isinstance(target, ast.Subscript):
            self.generic_visit(target)
        for name in _names(target) if not isinstance(target, ast.Subscript) else ():
            self.known.pop(name, None)
        yield statement

    def loop(self, node: ast.For) -> Iterator[ast.stmt]:
        turns = self.value(node.iter)
        if turns is _UNKNOWN:
            yield from self.later(node)
            return
        for turn in turns:
            assert isinstance(node.target, ast.Name)
            self.known[node.target.id] = turn
            yield from self.block(node.body)

    def later(self, node: ast.For | ast.While | ast.If) -> Iterator[ast.stmt]:
        """Write what is decided at run time: what it assigns has no known value before and after it."""
        assigned = _stored(node)
        yield from self.told(assigned)
        if isinstance(node, ast.For):
            node.iter = self.visit(node.iter)
        else:
            node.test = self.visit(node.test)
        before = dict(self.known)
        node.body = [*self.block(node.body), *self.told(assigned)] or [ast.Pass()]
        self.known = dict(before)
        node.orelse = [*self.block(node.orelse), *self.told(assigned)]
        self.known = before
        yield node

    def told(self, names: set[str]) -> Iterator[ast.stmt]:
        """Assign what is known of some names, which is then known no more."""
        for name in sorted(names & self.known.keys()):
            yield ast.Assign([ast.Name(name, ast.Store())], _constant(self.known.pop(name)))


def _check(definition: ast.FunctionDef) -> None:
    """Refuse what is not understood, before something else is made of it.

    Raises
    ------
    NotImplementedError
        If there is such a thing.
    """
    for node in ast.walk(definition):
        if (
            isinstance(node, _REFUSED)
            or (isinstance(node, ast.FunctionDef) and node is not definition)
            or (isinstance(node, ast.Return) and node is not definition.body[-1])
            or (isinstance(node, ast.For | ast.While) and node.orelse)
            or (isinstance(node, ast.For) and not isinstance(node.target, ast.Name))
            or (isinstance(node, ast.Assign) and len(node.targets) > 1)
        ):
            line = getattr(node, "lineno", 0)
            raise NotImplementedError(
                f"{definition.name}, line {line}: {type(node).__name__} cannot be written out."
            )


def _stored(node: ast.AST) -> set[str]:
    """Return the names that are assigned somewhere in a node."""
    parts = ast.walk(node)
    return {part.id for part in parts if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}


def _constant(value: Any) -> ast.expr:
    if not isinstance(value, (*_NUMBERS, np.generic)):
        raise TypeError(f"Only numbers can be told at run time, not {value!r}.")
    return ast.parse(repr(value.item() if isinstance(value, np.generic) else value), mode="eval").body


def _names(expression: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(expression) if isinstance(node, ast.Name)}
