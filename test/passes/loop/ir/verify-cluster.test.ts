/** The verifier of clusters and nests: what fusion makes of programs and random graphs passes, each rule refuses its own mistake. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hardware, portable } from '../../../../codegen/targets/wgsl/profiles.ts'
import { fuse } from '../../../../passes/loop/fuse/fuse.ts'
import { isBufferLeaf } from '../../../../passes/loop/fuse/stored-nodes.ts'
import type { Buffer, Cluster, Index, LoopValue, Range } from '../../../../passes/loop/ir/cluster.ts'
import {
  constantIndex,
  rangeIndex,
  scaleIndex,
  shiftIndex,
  valueIndex,
} from '../../../../passes/loop/ir/index-expression.ts'
import { createValues } from '../../../../passes/loop/ir/values.ts'
import { verifyCluster, verifyNest } from '../../../../passes/loop/ir/verify-cluster.ts'
import { type Item, type Nest, placeCluster, type Scope } from '../../../../passes/loop/schedule/nest.ts'
import type { Graph } from '../../../../src/lang/ir.ts'
import { arbGraph } from '../../../../src/testing/arb-graph.ts'
import { mlpProgram } from '../../../mlp-step.ts'
import { sumOver } from '../clusters.ts'

const problemsOf = (graph: Graph): readonly string[] => {
  const outputs = [...new Set(graph.outputs)].filter((n) => !isBufferLeaf(n))
  const { kernels } = fuse({ inputs: graph.inputs, outputs }, graph.outputs, [], portable)
  return kernels.flat().flatMap((f) => [...verifyCluster(f.cluster), ...verifyNest(f.cluster, f.schedule.nest)])
}

describe('what fusion makes', () => {
  it.each([portable, hardware])('of a training step is legal ($name)', (profile) => {
    const { fusion } = mlpProgram({ profile }).planned
    for (const f of fusion.kernels.flat()) {
      expect(verifyCluster(f.cluster)).toEqual([])
      expect(verifyNest(f.cluster, f.schedule.nest)).toEqual([])
    }
  })

  it('of random graphs is legal', () => {
    const runs = 80 * Number(process.env['TL_RUNS'] ?? 1)
    fc.assert(
      fc.property(arbGraph({ maxNodes: 25, specials: false, without: ['while', 'cond'] }), ({ graph }) => {
        expect(problemsOf(graph)).toEqual([])
      }),
      { seed: 42, numRuns: runs },
    )
  })
})

/** y[i] = Σ_j x[i, j] over 6×4, and z[i, j] = x[i, j] · y[i]: two stores, one over fewer ranges. */
const values = createValues()
const [i, j] = values.ranges('store', [6, 4]) as readonly [Range, Range]
const [k] = values.ranges('reduce', [4]) as readonly [Range]
const [l] = values.ranges('reduce', [6]) as readonly [Range]
const x: Buffer = { id: 0, dtype: 'f32', size: 24 }
const y: Buffer = { id: 1, dtype: 'f32', size: 6 }
const z: Buffer = { id: 2, dtype: 'f32', size: 24 }
const at = (r: Range, c: Range): Index => {
  const a = scaleIndex(rangeIndex(r), 4)
  return { ...a, terms: [...a.terms, ...rangeIndex(c).terms], max: a.max + c.size - 1, key: `${a.key}+r${c.id}` }
}
const element = values.load(x, at(i, j), [])
const sum = sumOver(values, [k], values.load(x, at(i, k), []))
const scaled = values.alu('mul', 'f32', [element, sum])
const store = { buffer: z, index: at(i, j), ranges: [i, j], value: scaled }
const storeSum = { buffer: y, index: rangeIndex(i), ranges: [i], value: sum }
const cluster: Cluster = { stores: [store, storeSum] }

describe('a cluster', () => {
  it('is legal as it stands', () => {
    expect(verifyCluster(cluster)).toEqual([])
  })

  const v = (bare: Partial<LoopValue>, from: LoopValue): LoopValue => ({ ...from, ...bare }) as LoopValue
  const stores = (value: LoopValue): Cluster => ({ stores: [{ ...store, value }] })
  const cases: readonly (readonly [string, Cluster, RegExp])[] = [
    [
      'a load past the end',
      stores(values.load(x, shiftIndex(at(i, j), 1), [])),
      /reads elements 1 to 24 of a buffer of 24/,
    ],
    ['a load before the start', stores(values.load(x, shiftIndex(at(i, j), -1), [])), /reads elements -1 to 22/],
    [
      'a bound that does not keep a load inside',
      stores(
        values.load(x, shiftIndex(at(i, j), 4), [
          { index: rangeIndex(i), low: 0, high: 6 },
          { index: rangeIndex(j), low: 0, high: 3 },
        ]),
      ),
      /reads elements 4 to 26/,
    ],
    [
      'a computed index past the end',
      stores(values.load(x, valueIndex(values.load({ id: 9, dtype: 'i32', size: 24 }, at(i, j), []), 25), [])),
      /reads elements 0 to 24/,
    ],
    [
      'a value that hides a range',
      stores(v({ ranges: new Set([i]) }, element)),
      /is over r0, its operands over r0, r1|leaves/,
    ],
    ['a store that leaves a range unbound', { stores: [{ ...storeSum, value: element }] }, /leaves r1 unbound/],
    [
      'a store of half a buffer',
      { stores: [{ ...store, buffer: { ...z, size: 48 } }] },
      /does not write each of its 48/,
    ],
    ['a store to one element', { stores: [{ ...storeSum, index: constantIndex(0) }] }, /does not write each of its 6/],
    [
      'a store with gaps',
      { stores: [{ ...storeSum, index: scaleIndex(rangeIndex(i), 2) }] },
      /does not write each of its 6/,
    ],
    ['a buffer stored twice', { stores: [store, store] }, /stored twice/],
    [
      'a cluster that reads what it writes',
      { stores: [{ ...store, buffer: { ...z, id: 0 } }] },
      /reads buffer 0, which the cluster writes/,
    ],
    ['a store of another dtype', { stores: [{ ...storeSum, buffer: { ...y, dtype: 'i32' } }] }, /of i32 gets f32/],
    [
      'a reduction inside one over the same range',
      stores(
        values.alu('mul', 'f32', [
          element,
          values.reduce({
            monoid: 'max',
            order: 'any',
            over: [k, l],
            values: [sumOver(values, [k], values.load(x, at(l, k), []))],
          }),
        ]),
      ),
      /which a reduction inside binds again/,
    ],
  ]
  it.each(cases)('refuses %s', (_, bad, text) => {
    expect(verifyCluster(bad).join('\n')).toMatch(text)
  })

  it('takes a load that its bounds keep inside', () => {
    const bounds = [{ index: rangeIndex(i), low: 0, high: 5 }]
    const inside = values.load(x, shiftIndex(at(i, j), 4), bounds)
    expect(verifyCluster(stores(values.guard(bounds, inside, values.constant('f32', 0))))).toEqual([])
  })
})

describe('a nest', () => {
  const full = placeCluster(cluster, [i, j])
  const rows = placeCluster(cluster, [i])
  const isStoreOf =
    (b: Buffer) =>
    (item: Item): boolean =>
      item.kind === 'store' && item.store.buffer === b

  /** The nest with every list of items changed. */
  const change = (nest: Nest, edit: (items: readonly Item[]) => readonly Item[]): Nest => {
    const scope = (s: Scope): Scope => ({
      ...s,
      items: edit(s.items.map((item) => ('body' in item ? { ...item, body: scope(item.body) } : item))) as Item[],
    })
    return { ...nest, body: scope(nest.body) }
  }

  it('is legal over the grid and row by row', () => {
    expect(verifyNest(cluster, full)).toEqual([])
    expect(verifyNest(cluster, rows)).toEqual([])
  })

  const unwrap = (items: readonly Item[]): readonly Item[] =>
    items.flatMap((item) => (item.kind === 'first' ? item.body.items : [item]))
  const cases: readonly (readonly [string, Nest, RegExp])[] = [
    [
      'a value left out',
      change(full, (items) => items.filter((x) => x.kind !== 'value' || x.value !== element)),
      /before it is computed/,
    ],
    ['stores before values', change(full, (items) => [...items].reverse()), /before it is computed/],
    [
      'a reduction left out',
      change(full, (items) => items.filter((x) => x.kind !== 'reduce')),
      /uses value \d+ \(reduce\) before/,
    ],
    ['a store left out', change(rows, (items) => items.filter((x) => !isStoreOf(y)(x))), /buffer 1 is done 0 times/],
    [
      'a store done twice',
      change(rows, (items) => items.flatMap((x) => (isStoreOf(y)(x) ? [x, x] : [x]))),
      /buffer 1 is done 2 times/,
    ],
    ['a smaller store without its guard', change(full, unwrap), /buffer 1 is repeated over r1/],
    ['a value outside of its loop', { ...full, grid: [i] }, /needs r1, which no loop around it binds/],
    [
      'a guard on a range of the store',
      change(full, (items) => items.map((x) => (x.kind === 'first' ? { ...x, first: [i, j] } : x))),
      /at the first value of r0 only/,
    ],
    ['a loop in itself', { ...rows, grid: [i, j] }, /a loop over r1 inside another/],
    [
      'an accumulation outside of its loops',
      change(rows, (items) => items.flatMap((x): readonly Item[] => (x.kind === 'reduce' ? x.body.items : [x]))),
      /outside/,
    ],
    [
      'a value computed twice',
      change(full, (items) => items.flatMap((x) => (x.kind === 'value' && x.value === element ? [x, x] : [x]))),
      /is computed twice/,
    ],
  ]
  it.each(cases)('refuses %s', (_, bad, text) => {
    expect(verifyNest(cluster, bad).join('\n')).toMatch(text)
  })
})
