"""Vector registers for Numba: `LANES` numbers of 32 bits on which every operation acts at once.

A compiler that is left alone has to find out for itself that a loop over members may run in vectors, and asks
at run time whether its arrays overlap; over sixteen members that costs more than the work. Here a tile of
members *is* a vector: ``load`` and ``store`` take row k of a C-contiguous array whose rows have `LANES`
numbers, and ``+ − × ÷`` act on all lanes. LLVM turns them into the registers that the machine has.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.datamodel import models
from numba.core.typing import signature
from numba.core.typing.templates import ConcreteTemplate, infer_global
from numba.extending import intrinsic, lower_builtin, register_model

__all__ = [
    "COLUMNS",
    "CONTRACT",
    "LANES",
    "crossed",
    "data_of",
    "exponential",
    "fill",
    "highest",
    "joined",
    "lanes",
    "load",
    "logarithm",
    "look_up",
    "lowest",
    "store",
]

LANES, COLUMNS = 16, 8  # members of a tile, and columns of one table look-up
CONTRACT = ("contract",)
_f32, _i32, _i64 = ir.FloatType(), ir.IntType(32), ir.IntType(64)
_EIGHT = ir.VectorType(_f32, COLUMNS)
_WHOLE = ir.VectorType(_i32, COLUMNS)
_ROUND = 1.5 * 2.0**23  # added to a number of 32 bits, it leaves a whole one in the lowest bits
_BOTH = ir.LiteralStructType([_EIGHT, _EIGHT])


class Lanes(types.Type):
    """The type of `LANES` float32 numbers: two registers of 256 bits."""

    def __init__(self) -> None:
        super().__init__("Lanes")


lanes = Lanes()


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _BOTH)


def _halves(builder: ir.IRBuilder, value: Any) -> list[Any]:
    return [builder.extract_value(value, k) for k in range(2)]


def joined(builder: ir.IRBuilder, halves: list[Any]) -> Any:
    """Return eight numbers and eight more as one value of `Lanes`."""
    value = ir.Constant(_BOTH, ir.Undefined)
    for k, half in enumerate(halves):
        value = builder.insert_value(value, half, k)
    return value


def _each(builder: ir.IRBuilder, act: Callable[..., Any], *values: Any) -> Any:
    """Do the same with both halves of values."""
    return joined(builder, [act(*h) for h in zip(*(_halves(builder, v) for v in values), strict=True)])


def _operation(function: Callable[..., Any], instruction: str) -> None:
    class Template(ConcreteTemplate):
        cases = [signature(lanes, lanes, lanes)]  # noqa: RUF012

    infer_global(function)(Template)

    @lower_builtin(function, lanes, lanes)
    def lower(_context: Any, builder: ir.IRBuilder, _signature: Any, arguments: Any) -> Any:
        return _each(
            builder, lambda *halves: getattr(builder, instruction)(*halves, flags=CONTRACT), *arguments
        )


for _function, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _operation(_function, _instruction)


def data_of(context: Any, builder: ir.IRBuilder, kind: Any, array: Any) -> Any:
    """Return the pointer to the first number of an array of some type."""
    return context.make_array(kind)(context, builder, array).data


def _row(context: Any, builder: ir.IRBuilder, kind: Any, array: Any, index: Any) -> list[Any]:
    """Pointers to both halves of a row."""
    data, first = data_of(context, builder, kind, array), builder.mul(index, ir.Constant(_i64, LANES))
    places = [builder.add(first, ir.Constant(_i64, COLUMNS * k)) for k in range(2)]
    return [builder.bitcast(builder.gep(data, [place]), _EIGHT.as_pointer()) for place in places]


def _pick(builder: ir.IRBuilder, first: Any, second: Any, places: list[int]) -> Any:
    mask = ir.Constant(ir.VectorType(_i32, len(places)), places)
    return builder.shuffle_vector(first, second, mask)


@intrinsic
def load(_typing, array, row):  # type: ignore[no-untyped-def]
    """Return a row of float32 (n, LANES)."""

    def emit(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        row = _row(context, builder, signature.args[0], *arguments)
        return joined(builder, [builder.load(half, align=4) for half in row])

    return lanes(array, types.int64), emit


@intrinsic
def store(_typing, array, row, values):  # type: ignore[no-untyped-def]
    """Write a row of float32 (n, LANES)."""

    def emit(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        array, row, values = arguments
        places = _row(context, builder, signature.args[0], array, row)
        for half, place in zip(_halves(builder, values), places, strict=True):
            builder.store(half, place, align=4)
        return context.get_dummy_value()

    return types.void(array, types.int64, lanes), emit


@intrinsic
def fill(_typing, number):  # type: ignore[no-untyped-def]
    """Return one float32 in every lane."""

    def emit(_context: Any, builder: ir.IRBuilder, _signature: Any, arguments: Any) -> Any:
        undefined = ir.Constant(_EIGHT, ir.Undefined)
        one = builder.insert_element(undefined, arguments[0], ir.Constant(_i32, 0))
        return joined(builder, [_pick(builder, one, undefined, [0] * COLUMNS)] * 2)

    return lanes(types.float32), emit


def _choice(sign: str) -> Any:
    @intrinsic
    def choose(_typing, a, b):  # type: ignore[no-untyped-def]
        def emit(_context: Any, builder: ir.IRBuilder, _signature: Any, arguments: Any) -> Any:
            return _each(builder, lambda *h: builder.select(builder.fcmp_ordered(sign, *h), *h), *arguments)

        return lanes(lanes, lanes), emit

    return choose


def _each_number(function: Callable[..., Any]) -> Any:
    """Return an intrinsic that computes a function of eight numbers, made of instructions that act on all."""

    @intrinsic
    def compute(_typing, a):  # type: ignore[no-untyped-def]
        def emit(_context: Any, builder: ir.IRBuilder, _signature: Any, arguments: Any) -> Any:
            return _each(builder, lambda half: function(_Eight(builder, half)).value, *arguments)

        return lanes(lanes), emit

    return compute


class _Eight:
    """Eight numbers in a register, with the signs of arithmetic."""

    def __init__(self, builder: ir.IRBuilder, value: Any) -> None:
        self.builder, self.value = builder, value

    def _with(self, other: Any, instruction: str) -> _Eight:
        value = other.value if isinstance(other, _Eight) else ir.Constant(_EIGHT, [float(other)] * COLUMNS)
        return _Eight(self.builder, getattr(self.builder, instruction)(self.value, value, flags=CONTRACT))

    def __add__(self, other: Any) -> _Eight:
        return self._with(other, "fadd")

    def __mul__(self, other: Any) -> _Eight:
        return self._with(other, "fmul")

    def __truediv__(self, other: Any) -> _Eight:
        return self._with(other, "fdiv")

    def bits(self) -> Any:
        return self.builder.bitcast(self.value, _WHOLE)


def _of_bits(builder: ir.IRBuilder, bits: Any) -> _Eight:
    return _Eight(builder, builder.bitcast(bits, _EIGHT))


def _whole(number: int) -> Any:
    return ir.Constant(_WHOLE, [number] * COLUMNS)


def _logarithm(x: _Eight) -> _Eight:
    # x = 2^e m with m from sqrt(1/2) to sqrt(2), and ln m = 2 artanh((m − 1) / (m + 1))
    builder, bits = x.builder, x.bits()
    e = builder.ashr(builder.sub(bits, _whole(0x3F3504F3)), _whole(23))
    m = _of_bits(builder, builder.sub(bits, builder.shl(e, _whole(23))))
    t = (m + -1.0) / (m + 1.0)
    square = t * t
    series = square * (square * (square * (square * (1 / 9) + 1 / 7) + 1 / 5) + 1 / 3) + 1.0
    exponent = _Eight(builder, builder.sitofp(e, _EIGHT))
    # ln 2 in two parts, of which the first times a whole number is exact
    return exponent * 0.693359375 + (exponent * -2.12194440e-4 + t * 2.0 * series)


def _exponential(z: _Eight) -> _Eight:
    # e^z = 2^n e^r with n whole and r within half of ln 2
    builder = z.builder
    shifted = z * (1 / math.log(2.0)) + _ROUND
    n = builder.sub(shifted.bits(), _Eight(builder, ir.Constant(_EIGHT, [_ROUND] * COLUMNS)).bits())
    whole = _Eight(builder, builder.sitofp(n, _EIGHT))
    r = (z + whole * -0.693359375) + whole * 2.12194440e-4
    series = r * (r * (r * (r * (r * (r * (1 / 720) + 1 / 120) + 1 / 24) + 1 / 6) + 0.5) + 1.0) + 1.0
    return series * _of_bits(builder, builder.shl(builder.add(n, _whole(127)), _whole(23)))


logarithm = _each_number(_logarithm)  # natural, of positive normal numbers
exponential = _each_number(_exponential)  # from −87 to 88
lowest, highest = _choice("<"), _choice(">")  # of two, lane by lane; the second where one is not a number


@intrinsic
def crossed(_typing, a, b, level):  # type: ignore[no-untyped-def]
    """Return whether a and b lie on different sides of a level in any lane."""

    def emit(_context: Any, builder: ir.IRBuilder, _signature: Any, arguments: Any) -> Any:
        def apart(a: Any, b: Any, level: Any) -> Any:
            return builder.xor(builder.fcmp_ordered(">=", a, level), builder.fcmp_ordered(">=", b, level))

        both = [apart(*h) for h in zip(*(_halves(builder, value) for value in arguments), strict=True)]
        bits = ir.IntType(COLUMNS)
        return builder.icmp_unsigned("!=", builder.bitcast(builder.or_(*both), bits), ir.Constant(bits, 0))

    return types.boolean(lanes, lanes, lanes), emit


# Every member stands at its own voltage, so its table rows lie anywhere, and a compiler left alone fetches
# each number by itself. Read row by row instead, eight columns are one load; what has been interpolated is
# then turned around, so that the members lie side by side for everything that follows.
@intrinsic
def look_up(_typing, table, position, n_columns, out):  # type: ignore[no-untyped-def]
    """Interpolate all columns of a table for every lane into ``out[column]``.

    Parameters
    ----------
    table : float32 (n_rows, n_columns / COLUMNS, 2, COLUMNS)
        For each row the values of eight columns, how far it is from them to the next row, and so on.
    position : Lanes
        Where each member stands, in rows; from 0 to n_rows − 1.
    n_columns : int64
    out : float32 (n_columns or more, LANES)
    """
    return types.void(table, lanes, types.int64, out), _emit_look_up


def _emit_look_up(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
    table, position, n_columns, out = arguments
    table = data_of(context, builder, signature.args[0], table)
    width = builder.mul(n_columns, ir.Constant(_i64, 2))
    rows, shares = [], []
    for half in _halves(builder, position):
        whole = builder.fptosi(half, ir.VectorType(_i32, COLUMNS))
        fraction = builder.fsub(half, builder.sitofp(whole, _EIGHT))
        for k in range(COLUMNS):
            row = builder.sext(builder.extract_element(whole, ir.Constant(_i32, k)), _i64)
            rows.append(builder.gep(table, [builder.mul(row, width)]))
            shares.append(_pick(builder, fraction, fraction, [k] * COLUMNS))
    every = cgutils.for_range_slice(builder, ir.Constant(_i64, 0), n_columns, ir.Constant(_i64, COLUMNS))
    with every as (column, _count):
        at = builder.mul(column, ir.Constant(_i64, 2))

        def read(member: int, plus: int) -> Any:
            """Eight numbers of a member's row."""
            place = builder.gep(rows[member], [builder.add(at, ir.Constant(_i64, plus))])
            return builder.load(builder.bitcast(place, _EIGHT.as_pointer()), align=4)

        halves = []
        for first in range(0, LANES, COLUMNS):
            found = []
            for member in range(first, first + COLUMNS):
                way = builder.fmul(shares[member], read(member, COLUMNS), flags=CONTRACT)
                found.append(builder.fadd(read(member, 0), way, flags=CONTRACT))
            halves.append(_turned(builder, found))
        for k in range(COLUMNS):
            target = _row(context, builder, signature.args[3], out, builder.add(column, ir.Constant(_i64, k)))
            for half, place in zip(halves, target, strict=True):
                builder.store(half[k], place, align=4)
    return context.get_dummy_value()


def _turned(builder: ir.IRBuilder, rows: list[Any]) -> list[Any]:
    """Turn eight rows of eight into eight columns, in three rounds."""

    def rounds(rows: list[Any], apart: int, *places: list[int]) -> list[Any]:
        firsts = [k for k in range(COLUMNS) if not k & apart]
        return [_pick(builder, rows[k], rows[k + apart], p) for k in firsts for p in places]

    pairs = rounds(rows, 1, [0, 8, 1, 9, 4, 12, 5, 13], [2, 10, 3, 11, 6, 14, 7, 15])
    fours = rounds(pairs, 2, [0, 1, 8, 9, 4, 5, 12, 13], [2, 3, 10, 11, 6, 7, 14, 15])
    low, high = [0, 1, 2, 3, 8, 9, 10, 11], [4, 5, 6, 7, 12, 13, 14, 15]
    return [_pick(builder, fours[k], fours[k + 4], places) for places in (low, high) for k in range(4)]
