/**
 * Prefix reductions (cumsum, cumprod …). One thread scans a line or, where lines are few and long, a block of a line;
 * then one thread per line scans the block totals, and every element is combined with the total before its block. The
 * order is fixed, so results are deterministic to the bit.
 */

import { cumulateBlock, cumulateSplit } from '../../passes/loop/from-graph/routine-nodes.ts'
import type { Routine } from '../../passes/loop/fuse/fusion.ts'
import type { Buffer } from '../../passes/loop/ir/cluster.ts'
import type { Profile } from '../../passes/profile.ts'
import { typeOf } from '../../src/lang/build.ts'
import type { Cumulation, NodeOf } from '../../src/lang/ir.ts'
import * as k from '../kernel/build-kernel.ts'
import type { KExpr, KStmt } from '../kernel/kernel.ts'
import { computeType, hold, lineAddress, perThread, type RoutineDispatch, type Tensors } from './dispatch.ts'

/**
 * The monoid of a prefix reduction on kernel state: the state of an element, the combination of two states, the stored
 * result.
 */
interface Accumulator {
  readonly lift: (outputs: readonly KExpr[]) => readonly KExpr[]
  /** Combines two states; the first one precedes in scan order. */
  readonly combine: (first: readonly KExpr[], second: readonly KExpr[]) => readonly KExpr[]
  readonly stored: (state: readonly KExpr[]) => readonly KExpr[]
}

const plain = (combine: Accumulator['combine']): Accumulator => ({ lift: (x) => x, combine, stored: (x) => x })

const isNan = (e: KExpr): KExpr =>
  e.type.scalar === 'f32' || e.type.scalar === 'f16' ? k.unary('isNan', e) : k.bool(false)

/** Ties go to the later element; NaN is extreme, and only a later NaN replaces it. */
const extreme = (beats: (old: KExpr, next: KExpr) => KExpr): Accumulator =>
  plain(([a, i], [b, j]) => {
    const takes = k.or(isNan(b!), k.and(k.not(isNan(a!)), beats(a!, b!)))
    return [k.select(takes, b!, a!), k.select(takes, j!, i!)]
  })

/** logSumExp: the running maximum, and the sum of exponentials relative to it. */
const logSum: Accumulator = {
  lift: ([x]) => [x!, k.lit(1)],
  combine: ([a, m], [b, n]) => {
    const top = k.max(a!, b!)
    // inf - inf would be NaN.
    const safe = k.select(k.unary('isInf', top), k.lit(0), top)
    const term = (x: KExpr, count: KExpr): KExpr => k.mul(count, k.unary('exp', k.sub(x, safe)))
    const sum = k.add(term(a!, m!), term(b!, n!))
    return [top, k.select(k.unary('isInf', top), k.lit(1), sum)]
  },
  stored: ([top, sum]) => [k.add(top!, k.unary('log', sum!))],
}

const exponentBits = (x: KExpr): KExpr => k.and(k.shiftRight(k.bitcast(x, 'u32'), k.u32(23)), k.u32(255))

/** Zeros (flushed subnormals included), infinities and NaN: values without an exponent. */
const isSpecial = (x: KExpr): KExpr => k.or(k.eq(exponentBits(x), k.u32(0)), k.eq(exponentBits(x), k.u32(255)))

/** Splits x = m·2^e with 1 ≤ |m| < 2. */
const split = (x: KExpr): readonly [KExpr, KExpr] => {
  const mantissa = k.bitcast(k.or(k.and(k.bitcast(x, 'u32'), k.u32(0x807fffff)), k.u32(0x3f800000)), 'f32')
  const exponent = k.sub(k.cast(exponentBits(x), 'i32'), k.lit(127, 'i32'))
  return [k.select(isSpecial(x), x, mantissa), k.select(isSpecial(x), k.lit(0, 'i32'), exponent)]
}

/** 2^e for -126 ≤ e ≤ 127. */
const powerOfTwo = (e: KExpr): KExpr =>
  k.bitcast(k.shiftLeft(k.cast(k.add(e, k.lit(127, 'i32')), 'u32'), k.u32(23)), 'f32')

/** Products keep mantissa and exponent separately, so that an intermediate product may leave the range of f32. */
const scaledProduct: Accumulator = {
  lift: ([x]) => split(x!),
  combine: ([m, e], [n, f]) => {
    const [mantissa, carry] = split(k.mul(m!, n!))
    // Clamped, so that the exponent does not wrap.
    const exponent = k.max(k.min(k.add(k.add(e!, f!), carry), k.lit(1 << 20, 'i32')), k.lit(-(1 << 20), 'i32'))
    return [mantissa, exponent]
  },
  stored: ([m, e]) => {
    const bounded = k.max(k.min(e!, k.lit(250, 'i32')), k.lit(-250, 'i32'))
    const half = k.div(bounded, k.lit(2, 'i32'))
    const scaled = k.mul(k.mul(m!, powerOfTwo(half)), powerOfTwo(k.sub(bounded, half)))
    return [k.select(isSpecial(m!), m!, scaled)]
  },
}

const accumulators: { readonly [M in Cumulation]: Accumulator } = {
  sum: plain(([a], [b]) => [k.add(a!, b!)]),
  prod: plain(([a], [b]) => [k.mul(a!, b!)]),
  max: extreme((a, b) => k.le(a, b)),
  min: extreme((a, b) => k.le(b, a)),
  logSumExp: logSum,
}

const accumulatorOf = (monoid: Cumulation, x: Buffer): Accumulator =>
  monoid === 'prod' && computeType(x.dtype) === 'f32' ? scaledProduct : accumulators[monoid]

/** The address of element `step`, in scan order, of line `line`. */
const addressing = (n: NodeOf<'cumulate'>) => {
  const { shape } = typeOf(n.args[0]!)
  const { axis, reverse } = n.params
  const length = shape[axis]!
  const elementOf = lineAddress(shape, axis)
  const position = (step: KExpr): KExpr => (reverse ? k.sub(k.u32(length - 1), step) : step)
  const address = (line: KExpr, step: KExpr): KExpr => elementOf(line, position(step))
  return { length, position, address }
}

/** Loads a state from buffers: indices as they are, values in the compute type. */
const loadState = (t: Tensors, buffers: readonly Buffer[], at: KExpr): readonly KExpr[] =>
  buffers.map((b) => k.cast(t.load(b, at), computeType(b.dtype)))

const storeState = (t: Tensors, buffers: readonly Buffer[], at: KExpr, state: readonly KExpr[]): readonly KStmt[] =>
  buffers.map((b, i) => t.store(b, at, state[i]!))

/** A sequential scan over steps [from, to): state variables, initialised and fed by `load`, written by `store`. */
const scan = (
  t: Tensors,
  from: KExpr,
  to: KExpr,
  { lift, combine, stored }: Accumulator,
  load: (step: KExpr) => readonly KExpr[],
  store: (step: KExpr, state: readonly KExpr[]) => readonly KStmt[],
): readonly KStmt[] => {
  const first = lift(load(from))
  const state = first.map((e) => k.ref(t.name('state'), e.type))
  const step = k.ref(t.name('step'))
  const next = combine(state, lift(load(step)))
  const held = next.map((e) => hold(t, e))
  const nameOf = (e: KExpr): string => (e.kind === 'ref' ? e.name : '')
  return [
    ...state.map((s, i) => k.varStmt(nameOf(s), s.type, first[i]!)),
    ...store(from, stored(state)),
    k.forStmt(nameOf(step), k.add(from, k.u32(1)), to, 1, [
      ...held.map((h) => h.statement),
      ...state.map((s, i) => k.assign(nameOf(s), held[i]!.value)),
      ...store(step, stored(state)),
    ]),
  ]
}

/** The dispatches of a cumulate node. */
export const cumulateRoutine = (r: Routine, profile: Profile): readonly RoutineDispatch[] => {
  const n = r.node as NodeOf<'cumulate'>
  const { lines, blocks } = cumulateSplit(n)
  const { length, position, address } = addressing(n)
  const [x] = r.inputs
  const accumulator = accumulatorOf(n.params.monoid, x!)
  const { outputs } = r
  const carried = r.scratch
  const element =
    (t: Tensors, line: KExpr) =>
    (step: KExpr): readonly KExpr[] => {
      const value = k.cast(t.load(x!, address(line, step)), computeType(x!.dtype))
      return outputs.length === 1 ? [value] : [value, k.cast(position(step), 'i32')]
    }
  const perBlock: RoutineDispatch = {
    name: `cumulate_${n.params.monoid}`,
    reads: [x!],
    writes: outputs,
    ...perThread(lines * blocks, profile, (t, thread) => {
      const line = k.div(thread, k.u32(blocks))
      const from = k.mul(k.rem(thread, k.u32(blocks)), k.u32(cumulateBlock))
      const [start, end] = [blocks === 1 ? k.u32(0) : from, k.min(k.add(from, k.u32(cumulateBlock)), k.u32(length))]
      return scan(t, start, blocks === 1 ? k.u32(length) : end, accumulator, element(t, line), (step, state) =>
        storeState(t, outputs, address(line, step), state),
      )
    }),
  }
  if (blocks === 1) return [perBlock]
  const lastOf = (block: KExpr): KExpr => k.add(k.mul(block, k.u32(cumulateBlock)), k.u32(cumulateBlock - 1))
  const overBlocks: RoutineDispatch = {
    name: `cumulate_${n.params.monoid}_blocks`,
    reads: outputs,
    writes: carried,
    ...perThread(lines, profile, (t, line) =>
      scan(
        t,
        k.u32(0),
        k.u32(blocks),
        accumulator,
        // The last block may be short; its total is not needed.
        (block) => loadState(t, outputs, address(line, k.min(lastOf(block), k.u32(length - 1)))),
        (block, state) => storeState(t, carried, k.add(k.mul(line, k.u32(blocks)), block), state),
      ),
    ),
  }
  const join: RoutineDispatch = {
    name: `cumulate_${n.params.monoid}_join`,
    reads: [...outputs, ...carried],
    writes: outputs,
    ...perThread(lines * (length - cumulateBlock), profile, (t, thread) => {
      const line = k.div(thread, k.u32(length - cumulateBlock))
      const step = k.add(k.rem(thread, k.u32(length - cumulateBlock)), k.u32(cumulateBlock))
      const block = k.sub(k.div(step, k.u32(cumulateBlock)), k.u32(1))
      const before = loadState(t, carried, k.add(k.mul(line, k.u32(blocks)), block))
      const at = address(line, step)
      const { lift, combine, stored } = accumulator
      const joined = stored(combine(lift(before), lift(loadState(t, outputs, at)))).map((e) => hold(t, e))
      return [
        ...joined.map((h) => h.statement),
        ...storeState(
          t,
          outputs,
          at,
          joined.map((h) => h.value),
        ),
      ]
    }),
  }
  return [perBlock, overBlocks, join]
}
