/** Building blocks of the sort kernels: order-preserving integer keys, and the position of a key in a merge. */
import * as k from '../kernel/build-kernel.ts'
import type { KExpr, KStmt } from '../kernel/kernel.ts'
import { hold, type Tensors } from './dispatch.ts'

/**
 * A u32 key in the order of the sort: floats by their bits (inverted where negative), both zeros equal, NaN last; the
 * complement for a descending order.
 */
export const keyOf = (t: Tensors, element: KExpr, descending: boolean): { value: KExpr; statements: KStmt[] } => {
  const up = ascendingKey(t, element)
  const key = hold(t, descending ? k.not(up.value) : up.value)
  return { value: key.value, statements: [...up.statements, key.statement] }
}

const ascendingKey = (t: Tensors, element: KExpr): { value: KExpr; statements: readonly KStmt[] } => {
  const { scalar } = element.type
  if (scalar === 'bool' || scalar === 'u32') return { value: k.cast(element, 'u32'), statements: [] }
  const sign = k.u32(2 ** 31)
  if (scalar === 'i32') return { value: k.xor(k.bitcast(element, 'u32'), sign), statements: [] }
  const bits = hold(t, k.bitcast(k.cast(element, 'f32'), 'u32'))
  const size = k.and(bits.value, k.u32(2 ** 31 - 1))
  const ordered = k.select(k.lt(bits.value, sign), k.or(bits.value, sign), k.not(bits.value))
  const infinity = k.u32(0x7f800000)
  const value = k.select(k.eq(size, k.u32(0)), sign, k.select(k.lt(infinity, size), k.u32(2 ** 32 - 1), ordered))
  return { value, statements: [bits.statement] }
}

/** One merge of pairs of neighbouring sorted runs of `width` elements in a line of `length`. */
export interface Merge {
  readonly width: KExpr
  readonly length: KExpr
  /** Steps of the binary search: log2 of the width, plus one. */
  readonly steps: KExpr
  /** The key at a position of the line. */
  readonly keyAt: (position: KExpr) => KExpr
}

/**
 * The merged position of the key `mine` at `position`: its rank in its own run plus, by binary search, its rank in the
 * other run of the pair. Keys of the first run precede equal keys of the second, so the merge is stable.
 */
export const mergedPlace = (
  t: Tensors,
  { width, length, steps, keyAt }: Merge,
  position: KExpr,
  mine: KExpr,
): { readonly value: KExpr; readonly statements: readonly KStmt[] } => {
  const inPair = hold(t, k.rem(position, k.mul(width, k.u32(2))))
  const pair = hold(t, k.sub(position, inPair.value))
  const isFirst = hold(t, k.lt(inPair.value, width))
  const second = hold(t, k.min(length, k.add(pair.value, width)))
  const start = hold(t, k.select(isFirst.value, second.value, pair.value))
  const end = hold(t, k.select(isFirst.value, k.min(length, k.add(second.value, width)), second.value))
  const rank = t.name('rank')
  const at = k.ref(rank)
  const step = t.name('step')
  const next = hold(t, k.add(at, k.shiftRight(width, k.ref(step))))
  const other = hold(t, keyAt(k.sub(next.value, k.u32(1))))
  const before = k.or(k.lt(other.value, mine), k.and(k.eq(other.value, mine), k.not(isFirst.value)))
  return {
    // The rank in its own run is the offset within the run.
    value: k.add(
      k.sub(at, start.value),
      k.add(pair.value, k.select(isFirst.value, inPair.value, k.sub(inPair.value, width))),
    ),
    statements: [
      ...[inPair, pair, isFirst, second, start, end].map((h) => h.statement),
      k.varStmt(rank, k.kType('u32'), start.value),
      k.forStmt(step, k.u32(0), steps, 1, [
        next.statement,
        k.ifStmt(k.le(next.value, end.value), [other.statement, k.ifStmt(before, [k.assign(rank, next.value)])]),
      ]),
    ],
  }
}
