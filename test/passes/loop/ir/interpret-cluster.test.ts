/** The Loop IR's own meaning, on clusters made by hand: what a load, a guard, a reduction and a store do. */
import { describe, expect, it } from 'vitest'
import type { Buffer, LoopValue, Range, Store } from '../../../../passes/loop/ir/cluster.ts'
import {
  constantIndex,
  rangeIndex,
  scaleIndex,
  shiftIndex,
  valueIndex,
} from '../../../../passes/loop/ir/index-expression.ts'
import { interpretCluster } from '../../../../passes/loop/ir/interpret-cluster.ts'
import { createValues, type Values } from '../../../../passes/loop/ir/values.ts'
import type { HostArray, KernelDType } from '../../../../src/lang/dtype.ts'
import { sumOver } from '../clusters.ts'

const x: Buffer = { id: 0, dtype: 'f32', size: 6 }
const at: Buffer = { id: 1, dtype: 'i32', size: 3 }

/** The elements of `size` that a store of `value` leaves; -1 where nothing was written. */
const stored = (size: number, dtype: KernelDType, make: (v: Values) => Omit<Store, 'buffer'>): readonly number[] => {
  const out: Buffer = { id: 2, dtype, size }
  const result: HostArray = dtype === 'f32' ? new Float64Array(size).fill(-1) : new Int32Array(size).fill(-1)
  const memory = new Map<number, HostArray>([
    [0, Float64Array.of(10, 11, 12, 13, 14, 15)],
    [1, Int32Array.of(2, 0, 5)],
    [2, result],
  ])
  interpretCluster({ stores: [{ buffer: out, ...make(createValues()) }] }, memory)
  return [...result]
}

const over = (r: Range, value: LoopValue, index = rangeIndex(r)): Omit<Store, 'buffer'> => ({
  ranges: [r],
  index,
  value,
})

describe('the interpreter of clusters', () => {
  const cases: readonly (readonly [
    string,
    number,
    KernelDType,
    (v: Values) => Omit<Store, 'buffer'>,
    readonly number[],
  ])[] = [
    [
      'a load reads where its index points',
      3,
      'f32',
      (v) => {
        const [r] = v.ranges('store', [3])
        return over(r!, v.load(x, shiftIndex(scaleIndex(rangeIndex(r!), -2), 5), []))
      },
      [15, 13, 11],
    ],
    [
      'a computed index gathers',
      3,
      'f32',
      (v) => {
        const [r] = v.ranges('store', [3])
        return over(r!, v.load(x, valueIndex(v.load(at, rangeIndex(r!), []), 6), []))
      },
      [12, 10, 15],
    ],
    [
      'a guard takes the other side outside its bounds, where the load is not made',
      4,
      'f32',
      (v) => {
        const [r] = v.ranges('store', [4])
        const index = shiftIndex(rangeIndex(r!), 4)
        const bounds = [{ index, low: 0, high: 6 }]
        return over(r!, v.guard(bounds, v.load(x, index, bounds), v.constant('f32', 7)))
      },
      [14, 15, 7, 7],
    ],
    [
      'a reduction runs over its ranges and leaves the others',
      2,
      'f32',
      (v) => {
        const [r] = v.ranges('store', [2])
        const [k] = v.ranges('reduce', [3])
        const load = v.load(x, shiftIndex(scaleIndex(rangeIndex(r!), 3), 0), [])
        const both = v.alu('add', 'f32', [load, v.index('f32', rangeIndex(k!))])
        return over(r!, sumOver(v, [k!], both))
      },
      [33, 42],
    ],
    [
      'argmax gives the first position of the greatest',
      1,
      'i32',
      (v) => {
        const [k] = v.ranges('reduce', [6])
        const equal = v.alu('min', 'f32', [v.load(x, rangeIndex(k!), []), v.constant('f32', 12)])
        const reduction = {
          monoid: 'argmax',
          order: 'any',
          over: [k!],
          values: [equal],
          position: rangeIndex(k!),
        } as const
        return { ranges: [], index: constantIndex(0), value: v.reduce(reduction, 1) }
      },
      [2],
    ],
    [
      'a store writes only what its ranges reach',
      4,
      'f32',
      (v) => {
        const [r] = v.ranges('store', [2])
        return over(r!, v.load(x, rangeIndex(r!), []), shiftIndex(scaleIndex(rangeIndex(r!), 2), 1))
      },
      [-1, 10, -1, 11],
    ],
  ]
  it.each(cases)('%s', (_, size, dtype, make, expected) => {
    expect(stored(size, dtype, make)).toEqual(expected)
  })

  it('refuses a load outside its buffer that a device would clamp', () => {
    const outside = (): unknown =>
      stored(3, 'f32', (v) => {
        const [r] = v.ranges('store', [3])
        return over(r!, v.load(x, shiftIndex(rangeIndex(r!), 4), []))
      })
    expect(outside).toThrow('load of element 6 of a buffer of 6')
  })

  it('refuses a buffer without memory', () => {
    const missing: Buffer = { id: 9, dtype: 'f32', size: 1 }
    const run = (): unknown =>
      stored(1, 'f32', (v) => ({ ranges: [], index: constantIndex(0), value: v.load(missing, constantIndex(0), []) }))
    expect(run).toThrow('buffer 9 has no memory')
  })
})
