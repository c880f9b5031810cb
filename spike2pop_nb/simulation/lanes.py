"""Vector registers for Numba: `LANES` numbers of 32 bits on which every operation acts at once.

A compiler that is left alone has to find out for itself that a loop over members may run in vectors, and asks
at run time whether its arrays overlap; over sixteen members that costs more than the work. Here a tile of
members *is* a vector: ``load`` and ``store`` take row k of a C-contiguous array whose rows have `LANES`
numbers, and ``+ − × ÷`` act on all lanes. LLVM turns them into the registers that the machine has.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.datamodel import models
from numba.core.typing import signature
from numba.core.typing.templates import ConcreteTemplate, infer_global
from numba.extending import intrinsic, lower_builtin, register_model

__all__ = ["COLUMNS", "LANES", "crossed", "fill", "highest", "load", "look_up", "lowest", "store"]

LANES, COLUMNS = 16, 8  # members of a tile, and columns of one table look-up
_CONTRACT = ("contract",)
_f32, _i32, _i64 = ir.FloatType(), ir.IntType(32), ir.IntType(64)
_EIGHT, _SIXTEEN = ir.VectorType(_f32, COLUMNS), ir.VectorType(_f32, LANES)


class Lanes(types.Type):
    """The type of a vector register full of float32 numbers."""

    def __init__(self) -> None:
        super().__init__("Lanes")


lanes = Lanes()


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _SIXTEEN)


def _operation(function: Callable[..., Any], instruction: str) -> None:
    class Template(ConcreteTemplate):  # type: ignore[misc]
        cases = [signature(lanes, lanes, lanes)]  # noqa: RUF012

    infer_global(function)(Template)

    @lower_builtin(function, lanes, lanes)
    def lower(_context: Any, builder: ir.IRBuilder, _signature: Any, arguments: Any) -> Any:
        return getattr(builder, instruction)(*arguments, flags=_CONTRACT)


for _function, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _operation(_function, _instruction)


def _data(context: Any, builder: ir.IRBuilder, kind: Any, array: Any) -> Any:
    return context.make_array(kind)(context, builder, array).data


def _row(context: Any, builder: ir.IRBuilder, kind: Any, array: Any, index: Any) -> Any:
    first = builder.mul(index, ir.Constant(_i64, LANES))
    return builder.bitcast(
        builder.gep(_data(context, builder, kind, array), [first]), _SIXTEEN.as_pointer()
    )


def _pick(builder: ir.IRBuilder, first: Any, second: Any, places: list[int]) -> Any:
    mask = ir.Constant(ir.VectorType(_i32, len(places)), places)
    return builder.shuffle_vector(first, second, mask)


@intrinsic
def load(_typing, array, row):  # type: ignore[no-untyped-def]
    """Return a row of float32 (n, LANES)."""

    def emit(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        return builder.load(_row(context, builder, signature.args[0], *arguments), align=4)

    return lanes(array, types.int64), emit


@intrinsic
def store(_typing, array, row, values):  # type: ignore[no-untyped-def]
    """Write a row of float32 (n, LANES)."""

    def emit(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        array, row, values = arguments
        builder.store(values, _row(context, builder, signature.args[0], array, row), align=4)
        return context.get_dummy_value()

    return types.void(array, types.int64, lanes), emit


@intrinsic
def fill(_typing, number):  # type: ignore[no-untyped-def]
    """Return one float32 in every lane."""

    def emit(_context: Any, builder: ir.IRBuilder, _signature: Any, arguments: Any) -> Any:
        undefined = ir.Constant(_SIXTEEN, ir.Undefined)
        one = builder.insert_element(undefined, arguments[0], ir.Constant(_i32, 0))
        return _pick(builder, one, undefined, [0] * LANES)

    return lanes(types.float32), emit


def _choice(sign: str) -> Any:
    @intrinsic
    def choose(_typing, a, b):  # type: ignore[no-untyped-def]
        def emit(_context: Any, builder: ir.IRBuilder, _signature: Any, arguments: Any) -> Any:
            return builder.select(builder.fcmp_ordered(sign, *arguments), *arguments)

        return lanes(lanes, lanes), emit

    return choose


lowest, highest = _choice("<"), _choice(">")  # of two, lane by lane; the second where one is not a number


@intrinsic
def crossed(_typing, a, b, level):  # type: ignore[no-untyped-def]
    """Return whether a and b lie on different sides of a level in any lane."""

    def emit(_context: Any, builder: ir.IRBuilder, _signature: Any, arguments: Any) -> Any:
        a, b, level = arguments
        apart = builder.xor(builder.fcmp_ordered(">=", a, level), builder.fcmp_ordered(">=", b, level))
        bits = ir.IntType(LANES)
        return builder.icmp_unsigned("!=", builder.bitcast(apart, bits), ir.Constant(bits, 0))

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
    table = _data(context, builder, signature.args[0], table)
    whole = builder.fptosi(position, ir.VectorType(_i32, LANES))
    fraction = builder.fsub(position, builder.sitofp(whole, _SIXTEEN))
    width = builder.mul(n_columns, ir.Constant(_i64, 2))
    rows = []
    for member in range(LANES):
        row = builder.sext(builder.extract_element(whole, ir.Constant(_i32, member)), _i64)
        rows.append(builder.gep(table, [builder.mul(row, width)]))

    def pick(first: Any, second: Any, places: list[int]) -> Any:
        return _pick(builder, first, second, places)

    def in_each_quarter(first: list[int]) -> list[int]:
        """Places within quarters of two registers, of which the second counts from 4."""
        return [4 * q + (k if k < 4 else k - 4 + LANES) for q in range(4) for k in first]

    with cgutils.for_range_slice(builder, ir.Constant(_i64, 0), n_columns, ir.Constant(_i64, COLUMNS)) as (
        column,
        _count,
    ):
        at = builder.mul(column, ir.Constant(_i64, 2))

        def both(member: int, plus: int) -> Any:
            """Eight numbers of a member's row, and of the row of the one eight lanes on."""
            index = builder.add(at, ir.Constant(_i64, plus))
            halves = [
                builder.load(
                    builder.bitcast(builder.gep(rows[k], [index]), _EIGHT.as_pointer()), align=4
                )
                for k in (member, member + COLUMNS)
            ]
            return pick(*halves, list(range(LANES)))

        read = []
        for member in range(COLUMNS):
            share = pick(fraction, fraction, [member] * COLUMNS + [member + COLUMNS] * COLUMNS)
            way = builder.fmul(share, both(member, COLUMNS), flags=_CONTRACT)
            read.append(builder.fadd(both(member, 0), way, flags=_CONTRACT))
        # two 8 × 8 blocks side by side are turned around in three rounds
        pairs = [
            pick(read[k], read[k + 1], in_each_quarter(places))
            for k in range(0, COLUMNS, 2)
            for places in ([0, 4, 1, 5], [2, 6, 3, 7])
        ]
        fours = [
            pick(pairs[k], pairs[k + 2], in_each_quarter(places))
            for k in (0, 1, 4, 5)
            for places in ([0, 1, 4, 5], [2, 3, 6, 7])
        ]
        for k in range(COLUMNS):
            quarters = (0, 4, 2, 6) if k < 4 else (1, 5, 3, 7)
            places = [4 * quarter + i for quarter in quarters for i in range(4)]
            values = pick(fours[k % 4], fours[k % 4 + 4], places)
            first = builder.mul(builder.add(column, ir.Constant(_i64, k)), ir.Constant(_i64, LANES))
            target = builder.gep(_data(context, builder, signature.args[3], out), [first])
            builder.store(values, builder.bitcast(target, _SIXTEEN.as_pointer()), align=4)
    return context.get_dummy_value()
