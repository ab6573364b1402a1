/** Mixed precision: what is of 16 bits and what is not, how the loss is scaled, and training with it. */
import { describe, expect, it, test } from 'vitest'
import * as T from '../../src/index.ts'
import { typeOf } from '../../src/lang/build.ts'
import { roundTo } from '../../src/lang/scalar-functions.ts'
import { topological } from '../../src/lang/topological.ts'
import { nodeOf } from '../../src/lang/types/tensor.ts'
import * as nn from '../../src/nn/index.ts'
import * as optim from '../../src/optim/index.ts'

type X = T.Tensor
const f32 = (data: readonly number[] | readonly (readonly number[])[]): X =>
  T.tensor(data as number[], { dtype: 'f32' }) as X
const read = (x: X): readonly number[] => Array.from((T.reference(x) as T.HostTensor).data)
const first = (x: X): number => read(x)[0]!
const halves = ['f16', 'bf16'] as const

interface Params {
  readonly w: X
  readonly b: X
}
const params: Params = {
  w: f32([
    [0.5, -0.25, 0.125],
    [1, 0.3, -0.7],
  ]),
  b: f32([0.1, 0.2, -0.3]),
}
const x = f32([
  [1, 2],
  [-1, 0.5],
  [0.25, 3],
])
const labels = T.tensor([0, 2, 1]) as X
const classify = (p: Params, input: X, target: X): X =>
  nn.crossEntropy(
    nn.linear(input as never, { weight: T.matrixTranspose(p.w) as never, bias: p.b as never }) as never,
    target as never,
  ) as X

describe.each(halves)('a loss in %s', (compute) => {
  const half = optim.mixed({ compute })

  it('sees the floats of its arguments in it, and nothing else', () => {
    const seen: unknown[] = []
    const f = half.loss((p: Params, rest: readonly [X, X, string, { readonly rate: number }]) => {
      seen.push(p.w.dtype, p.b.dtype, rest[0].dtype, rest[1].dtype, rest[2], rest[3])
      return { loss: T.sum(p.w) as X, count: rest[1] }
    })
    const result = f(params, [x, labels, 'text', { rate: 1 }])
    expect(seen).toEqual([compute, compute, compute, 'i32', 'text', { rate: 1 }])
    expect([result.loss.dtype, result.count.dtype]).toEqual(['f32', 'i32'])
    expect(T.mapTree(half.cast({ x, labels }), (t) => t.dtype)).toEqual({ x: compute, labels: 'i32' })
  })

  it('multiplies matrices in it, forward and backward, and gives gradients in f32', () => {
    const grads = T.grad(half.loss(classify) as never)(
      params as never,
      x as never,
      labels as never,
    ) as unknown as Params
    expect([grads.w.dtype, grads.b.dtype]).toEqual(['f32', 'f32'])
    const products = topological([nodeOf(grads.w), nodeOf(grads.b)]).filter((n) => n.op === 'dot')
    expect(products.length).toBeGreaterThanOrEqual(2)
    expect(products.map((n) => typeOf(n.args[0]!).dtype)).toEqual(products.map(() => compute))
    const want = T.grad(classify as never)(params as never, x as never, labels as never) as unknown as Params
    const digits = compute === 'f16' ? 3 : 2
    expect(read(grads.w)).toEqual(read(want.w).map((g) => expect.closeTo(g, digits)))
  })

  it('is not rounded where it ends in a loss, a norm or a softmax', () => {
    const round = roundTo(compute)
    const logits = f32([[1.3, -0.7, 0.31]])
    const target = T.tensor([2]) as X
    const rounded = read(logits).map(round)
    const want = Math.log(rounded.reduce((s, v) => s + Math.exp(v), 0)) - rounded[2]!
    const got = first(half.loss((z: X) => nn.crossEntropy(z as never, target as never) as X)(logits))
    expect(got).toBeCloseTo(want, 6)
    expect(Math.abs(round(got) - got)).toBeGreaterThan(1e-6)
    // What does not end in one is of 16 bits.
    const doubled = first(half.loss((z: X) => T.mul(nn.crossEntropy(z as never, target as never), 2) as X)(logits))
    expect(doubled).toBe(round(doubled))
  })
})

test('norms, softmax and losses compute in f32 inside a step of f16, where halves would overflow or stop counting', () => {
  const half = optim.mixed({ compute: 'f16' })
  const large = T.full([1, 64], 300) as X
  const many = T.zeros([1, 5000]) as X
  const wide = half.loss((a: X, b: X) => ({
    norm: nn.rmsNorm(a) as X,
    layer: nn.layerNorm(T.mul(a, f32(Array.from({ length: 64 }, (_, i) => (i % 2) * 2 - 1)) as never) as X) as X,
    soft: T.mul(nn.softmax(b), 5000) as X,
    loss: nn.mseLoss(a as never, T.zerosLike(a) as never) as X,
  }))(large, many)
  expect(new Set(read(wide.norm))).toEqual(new Set([1]))
  expect(read(wide.layer).map(Math.abs)).toEqual(Array.from({ length: 64 }, () => expect.closeTo(1, 3)))
  expect(first(wide.soft)).toBeCloseTo(1, 2)
  // 300² is past the largest f16, and still the loss.
  expect(first(wide.loss)).toBe(90_000)
})

describe('the scale of a loss', () => {
  it('follows what torch.cuda.amp.GradScaler does', () => {
    const scaling = optim.lossScale({ initial: 1024, growth: 4, backoff: 0.25, interval: 3 })
    const finite = [1, 1, 1, 1, 0, 1, 1, 0, 1, 1, 1, 1]
    let [scale, held] = [1024, 0]
    const want = finite.map((ok) => {
      if (ok === 0) [scale, held] = [scale * 0.25, 0]
      else if (++held === 3) [scale, held] = [scale * 4, 0]
      return scale
    })
    const [, scales] = T.scan(
      (s: optim.LossScaleState, ok: X) => {
        const next = scaling.update(s, T.greater(ok, 0) as never)
        return [next, next.scale] as const
      },
      scaling.init(),
      f32(finite),
    )
    expect(read(scales as unknown as X)).toEqual(want)
    expect(first(optim.lossScale().init().scale)).toBe(65536)
  })

  it('stays a number: it neither grows to infinity nor falls to 0, from where it could not come back', () => {
    const last = (initial: number, finite: boolean): number => {
      const scaling = optim.lossScale({ initial, interval: 1 })
      const ok = T.equal(finite ? 1 : 0, 1) as never
      return first([0, 1, 2].reduce((s) => scaling.update(s, ok), scaling.init()).scale)
    }
    expect(last(2 ** 126, true)).toBe(2 ** 127)
    expect(last(2 ** -125, false)).toBe(2 ** -126)
  })

  it('keeps gradients that f16 would lose', () => {
    const tiny = (p: X, input: X): X => T.mul(T.mean(T.mul(p, input)), 2 ** -14) as X
    const [p, input] = [f32([1, 1]), f32([2 ** -12, 2 ** -11])]
    const step = (scaling: optim.LossScaleOptions | false): readonly number[] => {
      const s = optim.mixed({ compute: 'f16', scaling }).step(tiny, optim.sgd(1))
      return read(T.sub(p, s.update(p, s.init(p), input).params) as X)
    }
    expect(step(false)).toEqual([0, 0])
    expect(step({ initial: 2 ** 12 })).toEqual(step(false).map((_, i) => expect.closeTo(2 ** (-27 + i), 8)))
    const sized = optim.mixed({ compute: 'f16', scaling: { initial: 2 ** 12 } }).step(tiny, optim.sgd(2 ** 20))
    const moved = read(T.sub(p, sized.update(p, sized.init(p), input).params) as X)
    expect(moved).toEqual([2 ** -7, 2 ** -6])
  })

  it('falls when gradients overflow, and the step is skipped and counted', () => {
    const step = optim
      .mixed({ compute: 'f16', scaling: { initial: 2 ** 20, interval: 2 } })
      .step((p: X, input: X) => T.sum(T.mul(p, input)) as X, optim.adam(0.5))
    let [p, state] = [f32([1, 1]), step.init(f32([1, 1]))]
    const rows = Array.from({ length: 9 }, () => {
      const next = step.update(p, state, f32([3, -1]))
      ;[p, state] = [next.params, next.state]
      return [first(state.scale!.scale), first(state.skipped!), first(state.optimiser.step), first(p)]
    })
    // 2²⁰·3 is past 65504 until the scale is 2¹⁴, which holds twice before it doubles to what does not.
    expect(rows.slice(0, 7)).toEqual([
      [2 ** 19, 1, 0, 1],
      [2 ** 18, 2, 0, 1],
      [2 ** 17, 3, 0, 1],
      [2 ** 16, 4, 0, 1],
      [2 ** 15, 5, 0, 1],
      [2 ** 14, 6, 0, 1],
      [2 ** 14, 6, 1, expect.closeTo(0.5, 5)],
    ])
    expect(rows[7]).toEqual([2 ** 15, 6, 2, expect.closeTo(0, 5)])
    expect(rows[8]).toEqual([2 ** 14, 7, 2, expect.closeTo(0, 5)])
  })
})

describe('a step', () => {
  it('in bf16 has no scale, and moments in f32', () => {
    const step = optim.mixed({ compute: 'bf16' }).step(classify, optim.adam(0.1))
    const state = step.init(params)
    expect(Object.keys(state)).toEqual(['optimiser'])
    const next = step.update(params, state, x, labels)
    const dtypes = T.flattenTree<X>(next, T.isTensor).leaves.map((t) => t.dtype)
    expect(dtypes.filter((d) => d !== 'f32' && d !== 'i32')).toEqual([])
    expect(next.aux).toBe(undefined)
  })

  it('gives what the loss has beside itself, in f32', () => {
    const both = (p: Params, input: X, target: X) => [classify(p, input, target), { input, target }] as const
    const step = optim.mixed({ compute: 'f16' }).step(both, optim.sgd(0.1), { hasAux: true })
    const { aux, loss } = step.update(params, step.init(params), x, labels)
    expect([aux.input.dtype, aux.target.dtype, loss.dtype]).toEqual(['f32', 'i32', 'f32'])
    expect(read(aux.input)).toEqual(read(x))
  })

  it.each(halves)('in %s trains as one in f32 does', (compute) => {
    const last = (update: (p: Params) => { readonly params: Params; readonly loss: X }): number => {
      const [p, losses] = T.scan(
        (now: Params) => {
          const next = update(now)
          return [next.params, next.loss] as const
        },
        params,
        [],
        { length: 25 },
      )
      expect(T.mapTree(p, (t) => t.dtype)).toEqual({ w: 'f32', b: 'f32' })
      return read(losses as unknown as X).at(-1)!
    }
    const step = optim.mixed({ compute }).step(classify, optim.sgd(0.5))
    const wide = last((p) => {
      const [loss, grads] = T.valueAndGrad(classify)(p, x, labels)
      return { params: optim.sgd(0.5).update(p, grads, optim.sgd(0.5).init(p)).params, loss }
    })
    const got = last((p) => step.update(p, step.init(p), x, labels))
    expect(Math.abs(got / wide - 1)).toBeLessThan(compute === 'f16' ? 0.002 : 0.02)
  })
})

test('what mixed precision refuses', () => {
  const half = optim.mixed({ compute: 'f16' })
  expect(() => optim.mixed({ compute: 'f32' as never })).toThrow(
    new T.TensorloomError({
      tag: 'UsageError',
      message: "optim.mixed: the dtype to compute in is 'f32'",
      hint: "it can be 'f16' or 'bf16'",
    }),
  )
  expect(() => half.step(classify, optim.sgd(1)).init({ w: T.cast(params.w, 'f16') as X, b: params.b })).toThrow(
    new T.TensorloomError({
      tag: 'UsageError',
      message: 'optim.mixed: w is f16[2, 3], where parameters are f32',
      hint: 'keep parameters in f32: the step itself computes with 16 bits',
    }),
  )
  const [wide, scaled] = (['bf16', 'f16'] as const).map((compute) =>
    optim.mixed({ compute }).step(classify, optim.sgd(1)),
  )
  expect(() => scaled!.update(params, wide!.init(params), x, labels)).toThrow('the state is not one of this optimiser')
  expect(() => wide!.update(params, scaled!.init(params), x, labels)).toThrow('the state is not one of this optimiser')
  expect(() => half.loss(3 as never)).toThrow('optim.mixed: the loss is 3, not a function')
  expect(() => half.step(classify, optim.scaleByAdam() as never)).toThrow(
    'an object stands where an optimiser is needed',
  )
  expect(() => optim.mixed({ compute: 'f16', scaling: { initial: 0 } })).toThrow(
    "optim.mixed: the scaling option 'initial' is 0, not a number above 0",
  )
})
