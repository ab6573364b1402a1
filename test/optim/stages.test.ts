import { describe, expect, it } from 'vitest'
import { grad } from '../../passes/transform/gradient.ts'
import { evaluate } from '../../src/lang/evaluate.ts'
import { cast, full, mul, tensor } from '../../src/lang/tensor/index.ts'
import { nodeOf, type Tensor } from '../../src/lang/types/tensor.ts'
import {
  applyUpdates,
  centralise,
  chain,
  clipByGlobalNorm,
  clipByValue,
  globalNorm,
  optimiser,
  scaleByRate,
  stateless,
  type Transform,
  trackMomentum,
} from '../../src/optim/index.ts'

const numbers = (...xs: readonly Tensor[]): readonly (readonly number[])[] =>
  evaluate({ inputs: [], outputs: xs.map(nodeOf) }, []).map((v) => Array.from(v.data))
const f32 = (data: readonly number[] | readonly (readonly number[])[]): Tensor =>
  tensor(data as number[], { dtype: 'f32' })
const zero = full([], 0, { dtype: 'i32' })
const once = (stage: Transform, updates: Tensor): Tensor => stage.apply(updates, stage.init(updates), updates, zero)[0]

describe('stages', () => {
  it('chain in order, each with its own state', () => {
    const double = stateless((updates: unknown) => mul(updates as Tensor, 2) as never)
    const both = chain(double, trackMomentum({ momentum: 0.5 }), scaleByRate(0.25))
    const [u, state] = both.apply(f32([1, -4]), both.init(f32([0, 0])), f32([0, 0]), zero)
    const [v] = both.apply(f32([1, -4]), state, f32([0, 0]), zero)
    expect(numbers(u, v)).toEqual([
      [-0.5, 2],
      [-0.75, 3],
    ])
  })

  it('nest: a chain is a stage', () => {
    const nested = chain(chain(scaleByRate(-2)), chain(scaleByRate(-3), chain()))
    expect(numbers(once(nested, f32([1])))).toEqual([[6]])
  })

  it('clip by value, and pass the bounds', () => {
    expect(numbers(once(clipByValue(1), f32([-3, -1, 0.5, 2])))).toEqual([[-1, -1, 0.5, 1]])
  })

  it('centralise matrices, not vectors', () => {
    expect(
      numbers(
        once(
          centralise(),
          f32([
            [1, 3],
            [5, 9],
          ]),
        ),
      ),
    ).toEqual([[-1, 1, -2, 2]])
    expect(numbers(once(centralise(), f32([1, 3])))).toEqual([[1, 3]])
  })

  it('measure the norm over a whole tree; of nothing it is 0', () => {
    expect(numbers(globalNorm({ a: f32([3, 0]), b: [f32([[4], [12]])] }), globalNorm([]))).toEqual([[13], [0]])
  })

  it('make an optimiser whose updates can be looked at before they are applied', () => {
    const o = optimiser(scaleByRate(0.5))
    const params = { w: f32([1, 2]) }
    const [updates, state] = o.updates({ w: f32([4, 8]) }, o.init(params), params)
    expect(numbers(updates.w, applyUpdates(params, updates).w, state.step)).toEqual([[-2, -4], [-1, -2], [1]])
  })

  it('keep the dtype of half-precision parameters', () => {
    const p = full([2], 1, { dtype: 'f16' })
    const o = optimiser(scaleByRate((step) => mul(full([], 0.5), step) as Tensor))
    expect(o.update(p, p, o.init(p)).params.dtype).toBe('f16')
  })
})

describe('the norm of all', () => {
  const lines = [
    [3e30, -4e30],
    [3e18, 4e18],
    [3e19, 0],
    [3, -4],
    [0.03, 0.04],
    [0, 0],
  ] as const
  /** In single precision, as on a device. */
  const single = (x: Tensor): readonly number[] =>
    Array.from(evaluate({ inputs: [], outputs: [nodeOf(x)] }, [], { precision: 'f32' })[0]!.data)

  it('clips gradients to a norm, also where their squares are not in f32', () => {
    const want = [
      [0.3, -0.4],
      [0.3, 0.4],
      [0.5, 0],
      [0.3, -0.4],
      [0.03, 0.04],
      [0, 0],
    ]
    for (const [i, line] of lines.entries()) {
      const got = single(once(clipByGlobalNorm(0.5), f32(line)))
      expect(got, `${line}`).toEqual(want[i]!.map((w) => expect.closeTo(w, 5)))
    }
  })

  it('is of f32 where the tensors are not', () => {
    const half = cast(f32([300, 400]), 'f16')
    expect(globalNorm([half, half]).dtype).toBe('f32')
    expect(single(globalNorm([half]))).toEqual([500])
  })

  it('has a slope', () => {
    const slope = grad((x: Tensor) => globalNorm(x))
    for (const line of lines.slice(0, 5))
      expect(single(slope(f32(line)) as Tensor)).toEqual(line.map((v) => expect.closeTo(v / Math.hypot(...line), 5)))
  })
})
