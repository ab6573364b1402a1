/**
 * The reference interpreter of the Loop IR: every value is a dense array over its ranges, computed in topological
 * order. Slow and simple. A load out of bounds is an error here, though a device would clamp it.
 */

import { typeOf, typesOf } from '../../../src/lang/build.ts'
import { floorDiv, pointsOf } from '../../../src/lang/dim.ts'
import { allocate, type HostArray } from '../../../src/lang/dtype.ts'
import { invariant } from '../../../src/lang/errors.ts'
import { evaluateRow } from '../../../src/lang/evaluate.ts'
import { stateMonoids } from '../../../src/lang/monoids.ts'
import { numberArithmetic } from '../../../src/lang/number-arithmetic.ts'
import type { Value } from '../../../src/lang/primitive.ts'
import type { Routine } from '../fuse/fusion.ts'
import type { Bound, Buffer, Cluster, Index, LoopValue, Range } from './cluster.ts'
import { evaluateIndex } from './index-expression.ts'
import { valuesBelow } from './values.ts'

interface Dense {
  readonly ranges: readonly Range[]
  readonly data: HostArray
}

type PointOf = (r: Range) => number

const sorted = (ranges: Iterable<Range>): readonly Range[] => [...ranges].sort((a, b) => a.id - b.id)

/** Calls `body` for every point of `ranges` in row-major order, with its flat index. */
const forEachPoint = (ranges: readonly Range[], body: (point: PointOf, flat: number) => void): void => {
  const at = new Map<Range, number>(ranges.map((r) => [r, 0]))
  const total = pointsOf(ranges)
  for (let flat = 0; flat < total; flat++) {
    let rest = flat
    for (let i = ranges.length - 1; i >= 0; i--) {
      at.set(ranges[i]!, rest % ranges[i]!.size)
      rest = floorDiv(rest, ranges[i]!.size)
    }
    body((r) => at.get(r)!, flat)
  }
}

const read = (d: Dense, point: PointOf): number => d.data[d.ranges.reduce((i, r) => i * r.size + point(r), 0)]!

/** Runs one cluster on `memory`, which holds (and receives) the elements of every buffer, floats in Float64. */
export const interpretCluster = (cluster: Cluster, memory: ReadonlyMap<number, HostArray>): void => {
  const dense = new Map<LoopValue, Dense>()
  const of = (v: LoopValue): Dense => dense.get(v)!
  const indexAt = (i: Index, point: PointOf): number => evaluateIndex(i, point, (v) => read(of(v), point))
  const holds = (bounds: readonly Bound[], point: PointOf): boolean =>
    bounds.every((b) => {
      const x = indexAt(b.index, point)
      return b.low <= x && x < b.high
    })
  const elements = (b: Buffer): HostArray => {
    const data = memory.get(b.id)
    invariant(data, `buffer ${b.id} has no memory`)
    return data
  }
  /** The states of each reduction, of which every component that is used takes its own. */
  const groups = new Map<string, readonly (readonly number[])[]>()
  const statesOf = (
    v: Extract<LoopValue, { readonly kind: 'reduce' }>,
    ranges: readonly Range[],
  ): readonly (readonly number[])[] => {
    const { dtype } = v.values[0]!
    const row = stateMonoids[v.monoid]
    const a = numberArithmetic(dtype)
    const isState = v.values.length > 1
    const states: (readonly number[])[] = []
    forEachPoint(ranges, (outer, flat) => {
      let state = row.identity(dtype)
      forEachPoint(v.over, (point) => {
        const at: PointOf = (r) => (v.over.includes(r) ? point(r) : outer(r))
        const [x, ...rest] = v.values.map((y) => read(of(y), at))
        const next = isState ? [x!, ...rest] : row.lift(a, x!, dtype, v.position && indexAt(v.position, at))
        state = row.merge(a, state, next, dtype)
      })
      states[flat] = state
    })
    return states
  }
  const compute = (v: LoopValue): Dense => {
    const ranges = sorted(v.ranges)
    const data = allocate(v.dtype, pointsOf(ranges))
    const spread = (a: LoopValue): Value => {
      const out = allocate(a.dtype, pointsOf(ranges))
      forEachPoint(ranges, (point, flat) => {
        out[flat] = read(of(a), point)
      })
      return { shape: [out.length], dtype: a.dtype, data: out }
    }
    const row = (op: LoopValue & { readonly kind: 'alu' | 'threefry' }): readonly HostArray[] => {
      const name = op.kind === 'alu' ? op.op : 'threefry'
      const type = { shape: [data.length], dtype: op.dtype }
      return evaluateRow(name, op.args.map(spread), { dtype: op.dtype }, op.kind === 'alu' ? [type] : [type, type])
    }
    switch (v.kind) {
      case 'const':
        data.fill(v.value)
        break
      case 'index':
        forEachPoint(ranges, (point, flat) => {
          data[flat] = indexAt(v.index, point)
        })
        break
      case 'load':
        forEachPoint(ranges, (point, flat) => {
          if (!holds(v.bounds, point)) return
          const i = indexAt(v.index, point)
          invariant(i >= 0 && i < v.buffer.size, `load of element ${i} of a buffer of ${v.buffer.size}`)
          data[flat] = elements(v.buffer)[i]!
        })
        break
      case 'alu':
        return { ranges, data: row(v)[0]! }
      case 'threefry':
        return { ranges, data: row(v)[v.word]! }
      case 'call': {
        const type = { shape: [data.length], dtype: v.dtype }
        return { ranges, data: evaluateRow('elementwise', v.args.map(spread), v.callee, [type])[0]! }
      }
      case 'guard':
        forEachPoint(ranges, (point, flat) => {
          data[flat] = read(of(holds(v.bounds, point) ? v.inside : v.outside), point)
        })
        break
      case 'reduce': {
        const known = groups.get(v.group) ?? statesOf(v, ranges)
        groups.set(v.group, known)
        for (const [flat, state] of known.entries()) data[flat] = state[v.component]!
      }
    }
    return { ranges, data }
  }
  for (const v of valuesBelow(cluster.stores.map((s) => s.value))) dense.set(v, compute(v))
  for (const s of cluster.stores) {
    forEachPoint(s.ranges, (point) => {
      elements(s.buffer)[indexAt(s.index, point)] = read(of(s.value), point)
    })
  }
}

/** Runs one routine on `memory`, by the interpreter of its primitive. */
export const interpretRoutine = ({ node, inputs, outputs }: Routine, memory: ReadonlyMap<number, HostArray>): void => {
  const xs = node.args.map((a, i) => ({ ...typeOf(a), data: memory.get(inputs[i]!.id)! }))
  evaluateRow(node.op, xs, node.params, typesOf(node)).forEach((data, i) => {
    memory.get(outputs[i]!.id)!.set(data)
  })
}
