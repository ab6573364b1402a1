/** Rows that a task keeps from one loop for the next: which, when it pays, and that the results are those without. */
import { describe, expect, it } from 'vitest'
import { cpu } from '../../../../codegen/targets/wasm/profile.ts'
import type { Item, Scope } from '../../../../passes/loop/schedule/nest.ts'
import * as T from '../../../../src/index.ts'
import { sizeOf } from '../../../../src/lang/dim.ts'
import * as nn from '../../../../src/nn/index.ts'
import { interpretPlan } from '../../../differential.ts'

type Program = (x: T.Tensor) => T.Tensor

const compiled = (f: Program, shape: readonly number[]) =>
  T.orThrow(T.compile(f as never, [T.spec(shape)] as never, { profile: cpu }))

const keepsIn = (scope: Scope): readonly number[] =>
  scope.items.flatMap((item: Item) => [
    ...(item.kind === 'keep' ? item.packed.over.map((r) => r.size) : []),
    ...('body' in item ? keepsIn(item.body) : []),
  ])

/** The lengths of the rows that are kept in each kernel. */
const kept = (f: Program, shape: readonly number[]): readonly (readonly number[])[] =>
  compiled(f, shape).planned.fusion.kernels.map((k) => k.flatMap((g) => keepsIn(g.schedule.nest.body)))

const softmax: Program = (x) => nn.softmax(x)
/** Exponentials are used by two loops over different ranges, which a shift tells apart. */
const shifted: Program = (x) => T.div(T.exp(T.roll(x, 1, { axis: 1 })), T.sum(T.exp(x), { axis: 1, keepdims: true }))

describe('rows that a task keeps', () => {
  it.each([
    ['the exponentials of a softmax', softmax, [8, 1024], [[1024]]],
    ['of short rows', softmax, [64, 64], [[64]]],
    ['not longer ones than a cache holds', softmax, [8, 8192], [[]]],
    ['not what is as cheap as reading it', (x) => T.sub(x, T.mean(x, { axis: 1, keepdims: true })), [8, 1024], [[]]],
    ['not rows in vectors that are moved back', softmax, [8, 61], [[]]],
  ] as const satisfies readonly (readonly [string, Program, readonly number[], unknown])[])(
    '%s',
    (_, f, shape, want) => {
      const found = kept(f, shape)
      expect(found.flat()).toEqual(want.flat())
    },
  )

  it('are of equal points only', () => {
    expect(kept(shifted, [8, 1024]).flat()).toEqual([])
  })

  it.each([
    ['softmax', softmax, [3, 64]],
    ['softmax, rows kept', softmax, [5, 1024]],
    ['logSoftmax', (x: T.Tensor) => nn.logSoftmax(x), [5, 128]],
    [
      'a normalised function',
      (x: T.Tensor) => T.div(T.tanh(x), T.sum(T.square(T.tanh(x)), { axis: 1, keepdims: true })),
      [5, 128],
    ],
    ['shifted', shifted, [4, 64]],
  ] as const)('give the same: %s', (_, f, shape) => {
    const data = Float64Array.from({ length: sizeOf(shape) }, (__, i) => Math.fround(Math.sin(i * 1.3) * 3))
    const [got] = interpretPlan(compiled(f as Program, shape).plan, [{ shape, dtype: 'f32', data }])
    const want = T.reference((f as Program)(T.fromArray(Float32Array.from(data), shape) as T.Tensor)).data
    const worst = Array.from(want).reduce((w, v, i) => Math.max(w, Math.abs(v - got!.data[i]!)), 0)
    expect(worst).toBeLessThan(1e-6)
  })
})
