/** Index expressions in kernels: any of them gives what its meaning is, loops compute only what moves with them. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { portable, software } from '../../../codegen/targets/wgsl/profiles.ts'
import type { Cluster, Index, LoopValue, Range } from '../../../passes/loop/ir/cluster.ts'
import {
  addIndex,
  constantIndex,
  divIndex,
  modIndex,
  rangeIndex,
  scaleIndex,
  shiftIndex,
} from '../../../passes/loop/ir/index-expression.ts'
import { interpretCluster } from '../../../passes/loop/ir/interpret-cluster.ts'
import { createValues, type Values } from '../../../passes/loop/ir/values.ts'
import { placeCluster } from '../../../passes/loop/schedule/nest.ts'
import type { Role, Schedule } from '../../../passes/loop/schedule/roles.ts'
import type { HostArray } from '../../../src/lang/dtype.ts'
import { sumOver } from '../../passes/loop/clusters.ts'
import { expressionsOf, kernelOf, runByHand, statementsOf } from '../hand-made.ts'

type Draw = (ranges: readonly Range[]) => Index

/** Random index expressions over two ranges: sums, products, quotients and remainders, negative parts included. */
const arbIndex: fc.Arbitrary<Draw> = fc.letrec<{ index: Draw }>((tie) => ({
  index: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom<Draw>(
      (rs) => rangeIndex(rs[0]!),
      (rs) => rangeIndex(rs[1]!),
    ),
    fc.tuple(tie('index'), tie('index')).map(
      ([a, b]): Draw =>
        (rs) =>
          addIndex(a(rs), b(rs)),
    ),
    fc.tuple(tie('index'), fc.integer({ min: -5, max: 5 })).map(
      ([a, n]): Draw =>
        (rs) =>
          scaleIndex(a(rs), n),
    ),
    fc.tuple(tie('index'), fc.integer({ min: -30, max: 30 })).map(
      ([a, n]): Draw =>
        (rs) =>
          shiftIndex(a(rs), n),
    ),
    fc.tuple(tie('index'), fc.integer({ min: 1, max: 9 })).map(
      ([a, n]): Draw =>
        (rs) =>
          divIndex(a(rs), n),
    ),
    fc.tuple(tie('index'), fc.integer({ min: 1, max: 9 })).map(
      ([a, n]): Draw =>
        (rs) =>
          modIndex(a(rs), n),
    ),
  ),
})).index

/** A cluster that stores what `make` gives at every point of two ranges. */
const grid = (rows: number, columns: number, make: (v: Values, ranges: readonly Range[]) => LoopValue): Cluster => {
  const values = createValues()
  const ranges = values.ranges('store', [rows, columns])
  const index = addIndex(scaleIndex(rangeIndex(ranges[0]!), columns), rangeIndex(ranges[1]!))
  return {
    stores: [{ buffer: { id: 0, dtype: 'i32', size: rows * columns }, index, ranges, value: make(values, ranges) }],
  }
}

/** Both meanings of a cluster without arguments. */
const both = (cluster: Cluster, schedule?: Schedule): readonly (readonly number[])[] => {
  const data = new Int32Array(cluster.stores[0]!.buffer.size)
  interpretCluster(cluster, new Map<number, HostArray>([[0, data]]))
  return [[...data], [...runByHand(cluster, new Map(), portable, schedule).get(0)!]]
}

/** The cluster under every role its ranges can have, the first `onGrid` of them on the grid. */
const scheduleWith = (cluster: Cluster, onGrid: number, roles: readonly (Role | undefined)[]): Schedule => {
  const { ranges } = cluster.stores[0]!
  const chosen = ranges.flatMap((r, i) => (roles[i] ? [[r, roles[i]] as const] : []))
  return { nest: placeCluster(cluster, ranges.slice(0, onGrid)), roles: new Map(chosen) }
}

const vector: Role = { unroll: 1, vector: true }
const tile = (unroll: number): Role => ({ unroll, vector: false })

const schedules: readonly (readonly [string, number, readonly (Role | undefined)[]])[] = [
  ['one by one', 2, []],
  ['in loops', 0, []],
  ['by vectors', 2, [undefined, vector]],
  ['by two vectors in a loop', 1, [undefined, { unroll: 2, vector: true }]],
  ['in tiles with an edge', 2, [tile(2), undefined]],
  ['in tiles of vectors', 2, [tile(3), vector]],
]

describe('index expressions', () => {
  it.each(schedules)('give the same number at every point, %s', (_, onGrid, roles) => {
    fc.assert(
      fc.property(arbIndex, (draw) => {
        const cluster = grid(5, 8, (v, rs) => v.index('i32', draw(rs)))
        const [want, got] = both(cluster, scheduleWith(cluster, onGrid, roles))
        expect(got).toEqual(want)
      }),
      { seed: 42, numRuns: 150 },
    )
  })

  it.each(schedules)('bound a value on the same side at every point, %s', (_, onGrid, roles) => {
    fc.assert(
      fc.property(arbIndex, fc.integer({ min: -10, max: 10 }), fc.nat(12), (draw, low, length) => {
        const cluster = grid(5, 8, (v, rs) =>
          v.guard([{ index: draw(rs), low, high: low + length }], v.constant('i32', 1), v.constant('i32', 0)),
        )
        const [want, got] = both(cluster, scheduleWith(cluster, onGrid, roles))
        expect(got).toEqual(want)
      }),
      { seed: 42, numRuns: 100 },
    )
  })

  it('that are negative in between divide towards minus infinity', () => {
    const cluster = grid(2, 5, (v, [r, c]) =>
      v.index('i32', divIndex(addIndex(shiftIndex(scaleIndex(rangeIndex(r!), 5), -7), rangeIndex(c!)), 3)),
    )
    const [want, got] = both(cluster)
    expect(want).toEqual([-3, -2, -2, -2, -1, -1, -1, 0, 0, 0])
    expect(got).toEqual(want)
  })

  it('of a constant cost nothing', () => {
    const cluster = grid(1, 1, (v) => v.index('i32', constantIndex(-3)))
    expect(both(cluster)[1]).toEqual([-3])
    const [store] = statementsOf(kernelOf(cluster).kernel.body).filter((s) => s.kind === 'store')
    expect([store!.index.kind, store!.value.kind]).toEqual(['lit', 'lit'])
  })
})

describe('inside a loop', () => {
  /** Σ_k x[r, k]·y[k, c] with everything read one by one. */
  const product = (): Cluster => {
    const values = createValues()
    const [r, c] = values.ranges('store', [5, 7])
    const [k] = values.ranges('reduce', [3])
    const at = (a: Range, b: Range): Index => addIndex(scaleIndex(rangeIndex(a), b.size), rangeIndex(b))
    const x = values.load({ id: 1, dtype: 'f32', size: 15 }, at(r!, k!), [])
    const y = values.load({ id: 2, dtype: 'f32', size: 21 }, at(k!, c!), [])
    const value = sumOver(values, [k!], values.alu('mul', 'f32', [x, y]))
    return { stores: [{ buffer: { id: 0, dtype: 'f32', size: 35 }, index: at(r!, c!), ranges: [r!, c!], value }] }
  }

  it('the parts that stand still are computed before it', () => {
    const { body } = kernelOf(product()).kernel
    const loops = statementsOf(body).filter((s) => s.kind === 'for')
    expect(loops).toHaveLength(1)
    const names = new Set(loops.flatMap((s) => statementsOf(s.body)).flatMap((s) => (s.kind === 'let' ? [s.name] : [])))
    // Of every product of indices inside, one factor is the counter.
    const counter = loops[0]!.kind === 'for' ? loops[0]!.name : ''
    const products = expressionsOf(loops[0]!.kind === 'for' ? loops[0]!.body : []).filter(
      (e) => e.kind === 'binary' && e.op === 'mul' && e.type.scalar === 'u32',
    )
    for (const p of products) expect(p.kind === 'binary' && p.a.kind === 'ref' && p.a.name).toBe(counter)
    expect(names.size).toBeGreaterThan(0)
  })

  it('a computed index is computed with it, and kept inside its axis', () => {
    const values = createValues()
    const [r] = values.ranges('store', [3])
    const picked = values.load({ id: 1, dtype: 'i32', size: 3 }, rangeIndex(r!), [])
    const atom = { kind: 'value' as const, value: picked, size: 4, key: `v${picked.id}` }
    const index: Index = { terms: [{ atom, coefficient: 1 }], constant: 0, min: 0, max: 3, key: `0+1*${atom.key}` }
    const value = values.load({ id: 2, dtype: 'f32', size: 4 }, index, [])
    const cluster: Cluster = {
      stores: [{ buffer: { id: 0, dtype: 'f32', size: 3 }, index: rangeIndex(r!), ranges: [r!], value }],
    }
    const memory = new Map<number, HostArray>([
      [1, Int32Array.of(3, 0, 1)],
      [2, Float64Array.of(10, 11, 12, 13)],
    ])
    expect([...runByHand(cluster, memory).get(0)!]).toEqual([13, 10, 11])
    // What the host did not check stays inside the tensor: a device may not read beyond it.
    memory.set(1, Int32Array.of(9, -1, 2))
    expect([...runByHand(cluster, memory).get(0)!]).toEqual([13, 13, 12])
  })
})

describe('tiles at the edge', () => {
  it.each([
    [13, 4],
    [13, 3],
    [12, 4],
    [9, 2],
    [97, 8],
  ])('%i points by %i: the last tile moves back, its first points are its neighbour’s', (size, unroll) => {
    const cluster = grid(size, 1, (v, [r]) => v.index('i32', rangeIndex(r!)))
    const [want, got] = both(cluster, scheduleWith(cluster, 2, [tile(unroll)]))
    expect(got).toEqual(want)
    const { kernel } = kernelOf(cluster, software, scheduleWith(cluster, 2, [tile(unroll)]))
    const guarded = statementsOf(kernel.body).filter((s) => s.kind === 'if' && s.then[0]?.kind === 'store')
    expect(guarded).toHaveLength(size % unroll === 0 ? 0 : unroll)
  })
})
