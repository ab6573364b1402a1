/** What compiling has to do, counted: in proportion to the program, and once for what is equal in it. */
import { expect, test } from 'vitest'
import type { Planned } from '../../../codegen/plan/make-plan.ts'
import { portable } from '../../../codegen/targets/wgsl/profiles.ts'
import { forgetSolutions } from '../../../passes/loop/fuse/solve.ts'
import { valueAndGrad } from '../../../passes/transform/gradient.ts'
import { compile, spec } from '../../../src/compile/compile.ts'
import { forgetPlans } from '../../../src/compile/plan-cache.ts'
import { build as b } from '../../../src/lang/build.ts'
import * as T from '../../../src/lang/tensor/index.ts'
import type { Tensor } from '../../../src/lang/types/tensor.ts'
import * as nn from '../../../src/nn/index.ts'
import { adam } from '../../../src/optim/index.ts'
import { programs } from '../../bench/programs.ts'

/** Planned with nothing known from before. */
const planned = (f: (...args: never[]) => unknown, specs: readonly unknown[], options = {}): Planned => {
  forgetSolutions()
  forgetPlans()
  const result = compile(f as never, specs as never, { ...options, profile: portable })
  if (result._tag === 'Left') throw new Error(JSON.stringify(result.left))
  return result.right.planned
}

type Layer = { readonly weight: Tensor; readonly bias: Tensor }
type Block = { readonly up: Layer; readonly down: Layer }

const layer = (rows: number, columns: number): Layer => ({ weight: T.zeros([rows, columns]), bias: T.zeros([rows]) })
const linear = (x: Tensor, p: Layer): Tensor => nn.linear(x as never, p as never)

/** A training step of a residual network of equal blocks. */
const residual = (count: number): Planned => {
  const blocks = Array.from({ length: count }, (): Block => ({ up: layer(192, 48), down: layer(48, 192) }))
  const optimiser = adam(0.01)
  const block = (h: Tensor, { up, down }: Block): Tensor =>
    T.add(h, linear(T.tanh(linear(nn.rmsNorm(h, {}) as Tensor, up)), down))
  const loss = (ps: readonly Block[], x: Tensor): Tensor => T.mean(T.square(ps.reduce(block, x)))
  const step = (s: { params: readonly Block[]; optimiser: never }, x: Tensor) => {
    const [value, grads] = valueAndGrad(loss as never)(s.params as never, x as never) as never as [Tensor, never]
    const next = optimiser.update(s.params as never, grads, s.optimiser)
    return { state: { params: next.params, optimiser: next.state }, value }
  }
  return planned(step as never, [{ params: blocks, optimiser: optimiser.init(blocks) }, spec([64, 48])], {
    donate: [0],
  })
}

test('equal blocks are lowered, scheduled and emitted once', () => {
  const [few, many] = [residual(4), residual(12)]
  expect(many.fusion.work.joins).toBeGreaterThan(2 * few.fusion.work.joins)
  // Blocks at the ends differ from those between; beyond them nothing is new.
  expect(many.fusion.work.solved).toBeLessThan(1.1 * few.fusion.work.solved)
  for (const p of [few, many]) {
    const distinct = new Set(p.kernels.map((k) => k.kernel))
    expect(distinct.size).toBeLessThan(p.kernels.length)
    expect(distinct.size).toBe(p.plan.kernels.length)
  }
})

test('most pairs of clusters are refused by an estimate: three are built for one that is joined', () => {
  for (const name of ['mlp_train', 'cnn_train', 'lstm_train', 'adam12', 'mlp_grads']) {
    const { f, specs, options } = programs.find((p) => p.name === name)!
    const { joins, attempts } = planned(f, specs, options).fusion.work
    expect(attempts, name).toBeLessThanOrEqual(3 * joins)
  }
  const { joins, attempts } = residual(4).fusion.work
  expect(attempts).toBeLessThanOrEqual(3 * joins)
})

test('what is known from before is not worked out again', () => {
  residual(4)
  const again = compile((x: Tensor) => T.tanh(T.add(x, 1)), [spec([48])])
  const { f, specs, options } = programs.find((p) => p.name === 'mlp_grads')!
  expect(planned(f, specs, options).fusion.work.solved).toBeGreaterThan(0)
  forgetPlans()
  const second = compile(f as never, specs as never, { ...options, profile: portable })
  expect(second._tag === 'Right' && second.right.planned.fusion.work.solved).toBe(0)
  expect(again._tag).toBe('Right')
})

const chain = (nodes: number): Planned =>
  planned(
    (x: Tensor) => {
      const factor = T.broadcastTo(T.tensor(1.5), [64, 16])
      let y = x as never
      for (let i = 0; i < nodes; i++)
        y = (i % 2 ? b.mul([y, factor as never], {}) : b.add([y, factor as never], {})) as never
      return y
    },
    [spec([64, 16])],
  )

const update = (leaves: number): Planned => {
  const optimiser = adam(0.001)
  const params = Object.fromEntries(Array.from({ length: leaves }, (_, i) => [`p${i}`, T.zeros([16 + (i % 7)])]))
  const step = (s: { params: never; optimiser: never }, grads: never) => optimiser.update(s.params, grads, s.optimiser)
  return planned(step as never, [{ params, optimiser: optimiser.init(params) }, params], { donate: [0] })
}

const steps = ({ fusion }: Planned): number => fusion.work.visited + fusion.work.attempts + 100 * fusion.work.solved

test('a chain of 100,000 nodes takes ten times the steps of one of 10,000, and an update of 1,000 leaves of one of 100', () => {
  const [short, long] = [chain(10_000), chain(100_000)]
  expect(steps(long) / steps(short)).toBeLessThan(20)
  expect(long.plan.kernels.length).toBeLessThan(8)
  const [few, many] = [update(100), update(1000)]
  expect(steps(many) / steps(few)).toBeLessThan(20)
  expect(many.fusion.inPlace.length).toBe(10 * few.fusion.inPlace.length - 9)
}, 240_000)
