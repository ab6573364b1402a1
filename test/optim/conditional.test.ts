/** Steps that are taken only sometimes, and averages of parameters. */
import { describe, expect, it } from 'vitest'
import * as T from '../../src/index.ts'
import * as optim from '../../src/optim/index.ts'

type X = T.Tensor
const vector = (...xs: readonly number[]): X => T.tensor(xs as number[], { dtype: 'f32' }) as X
const numbers = (tree: unknown): readonly (readonly number[])[] =>
  (T.reference(T.flattenTree<X>(tree, T.isTensor).leaves as never) as readonly T.HostTensor[]).map((x) =>
    Array.from(x.data),
  )
/** The same values as constants, so that expressions do not grow from step to step. */
const settled = <P>(tree: P): P => {
  const { leaves, shape } = T.flattenTree<X>(tree, T.isTensor)
  const hosts = T.reference([...leaves] as never) as readonly T.HostTensor[]
  return T.unflattenTree(
    shape,
    leaves.map((x, i) => T.cast(T.fromArray(hosts[i]!.data, x.shape), x.dtype)),
  ) as P
}

/** Parameters after each of the gradients, and the last state. */
const run = (
  o: optim.Optimiser,
  start: X,
  grads: readonly X[],
): readonly [readonly (readonly number[])[], optim.OptimiserState] => {
  let [p, state] = [start, settled(o.init(start))]
  const path = grads.map((g) => {
    const next = settled(o.update(p, g, state))
    ;[p, state] = [next.params, next.state]
    return numbers(p)[0]!
  })
  return [path, state]
}

describe('accumulate', () => {
  const grads = [vector(1, -2), vector(3, 0.5), vector(-1, 4), vector(2, 2), vector(0.5, -0.25), vector(7, 7)]
  const means = [vector(1, 2.5 / 3), vector(9.5 / 3, 8.75 / 3)]

  it('moves every n steps, by the mean of the gradients, as the optimiser would', () => {
    const inner = optim.adamw(optim.linear(0.1, 0.5, { steps: 2 }), { clipNorm: 1 })
    const [path, state] = run(optim.accumulate(3, inner), vector(1, 1), grads)
    const [want] = run(inner, vector(1, 1), means)
    const close = (row: readonly number[]): readonly unknown[] => row.map((x) => expect.closeTo(x, 6))
    expect(path).toEqual([[1, 1], [1, 1], close(want[0]!), close(want[0]!), close(want[0]!), close(want[1]!)])
    expect(numbers(state.step)).toEqual([[6]])
    expect(numbers((state.stages as { inner: optim.OptimiserState }).inner.step)).toEqual([[2]])
  })

  it('of one is the optimiser itself', () => {
    const inner = optim.sgd(0.5, { momentum: 0.9 })
    expect(run(optim.accumulate(1, inner), vector(1, 1), grads)[0]).toEqual(run(inner, vector(1, 1), grads)[0])
  })

  it('gives the updates it would add', () => {
    const o = optim.accumulate(2, optim.sgd(1))
    const p = vector(1, 1)
    const [first, state] = o.updates(grads[0]!, o.init(p), p)
    const [second] = o.updates(grads[1]!, state, p)
    expect(numbers([first, second])).toEqual([
      [0, 0],
      [-2, 0.75],
    ])
  })

  it('adds halves in f32, and leaves parameters and state in their dtypes', () => {
    const half = (x: number): X => T.full([1], x, { dtype: 'f16' }) as X
    const o = optim.accumulate(3, optim.adam(1))
    const first = o.init(half(1))
    const next = o.update(half(1), half(2048), first)
    expect(T.mapTree(next.state as never, (x: X) => x.dtype)).toEqual(T.mapTree(first as never, (x: X) => x.dtype))
    expect(next.params.dtype).toBe('f16')
    // In f16, 2048 + 1 + 1 would be 2048.
    const [path] = run(optim.accumulate(3, optim.sgd(1)), half(0), [half(2048), half(1), half(1)])
    expect(path.at(-1)).toEqual([-683.5])
  })
})

describe('applyIfFinite', () => {
  const grads = [vector(1, 1), vector(Number.NaN, 1), vector(1, Number.NEGATIVE_INFINITY), vector(2, -1)]
  it('skips what is not finite, without a trace in the state, and counts it', () => {
    const inner = optim.adam(0.1, { amsgrad: true })
    const [path, state] = run(optim.applyIfFinite(inner), vector(1, 1), grads)
    const [want, last] = run(inner, vector(1, 1), [grads[0]!, grads[3]!])
    expect(path).toEqual([want[0], want[0], want[0], want[1]])
    expect(numbers(state.stages)).toEqual(numbers(last))
    expect(numbers([state.skipped, state.step])).toEqual([[2], [4]])
  })

  it('gives updates of 0 then', () => {
    const o = optim.applyIfFinite(optim.sgd(1))
    const [updates] = o.updates(grads[1]!, o.init(vector(1, 1)), vector(1, 1))
    expect(numbers(updates)).toEqual([[0, 0]])
  })

  it('nests with accumulation, and with parts', () => {
    const o = optim.applyIfFinite(optim.accumulate(2, optim.masked(optim.sgd(1, { momentum: 0.5 }), true)))
    const [path, state] = run(o, vector(1, 1), [...grads, vector(0, 0)])
    expect(path.at(-1)).toEqual([-0.5, 1])
    expect(numbers(state.skipped)).toEqual([[2]])
  })

  it('looks at every tensor', () => {
    expect(numbers(optim.allFinite([]))).toEqual([[1]])
    expect(numbers(optim.allFinite([vector(1), { a: vector(2, Number.POSITIVE_INFINITY) }]))).toEqual([[0]])
    expect(numbers(optim.allFinite([vector(1), T.tensor([3])]))).toEqual([[1]])
  })
})

describe('ema', () => {
  const steps = [3, -1, 4, 1, -5, 9]
  const last = (mean: optim.Ema, start: X): optim.EmaState<X> =>
    steps.reduce((s, x) => mean.update(vector(x), s), mean.init(start))

  it('is the recurrence, from the first parameters on', () => {
    const want = steps.reduce((a, x) => 0.9 * a + 0.1 * x, 2)
    const mean = optim.ema({ decay: 0.9 })
    expect(numbers(mean.value(last(mean, vector(2))))).toEqual([[expect.closeTo(want, 6)]])
  })

  it('with debias is the weighted mean of what it was given', () => {
    const weights = steps.map((_, i) => 0.9 ** (steps.length - 1 - i))
    const want = steps.reduce((s, x, i) => s + x * weights[i]!, 0) / weights.reduce((a, b) => a + b, 0)
    const mean = optim.ema({ decay: 0.9, debias: true })
    expect(numbers(mean.value(last(mean, vector(2))))).toEqual([[expect.closeTo(want, 5)]])
    expect(numbers(mean.value(mean.init(vector(2))))).toEqual([[0]])
    const none = optim.ema({ decay: 0, debias: true })
    expect(numbers(none.value(last(none, vector(2))))).toEqual([[9]])
  })

  it('refuses parameters of another shape', () => {
    const mean = optim.ema()
    const parameters = { w: vector(1) }
    expect(() => mean.update(mean.init(parameters) as never, parameters as never)).toThrow(
      'optim.ema: the state is not one of an average',
    )
    expect(() => mean.value(parameters as never)).toThrow('optim.ema: the state is not one of an average')
    expect(() => mean.update({ w: vector(1) }, mean.init({ w: vector(1, 2) }))).toThrow(
      'optim.ema: the average of w is f32[2], the parameter f32[1]',
    )
  })

  it('averages halves in f32, and keeps the last of integers', () => {
    const tree = (x: number) => ({ h: T.full([1], x, { dtype: 'bf16' }) as X, n: T.full([], x, { dtype: 'i32' }) as X })
    const mean = optim.ema({ decay: 0.999 })
    const state = mean.update(tree(2), mean.update(tree(2), mean.init(tree(1))))
    const value = mean.value(state)
    expect([value.h.dtype, value.n.dtype]).toEqual(['f32', 'i32'])
    expect(numbers(value)).toEqual([[expect.closeTo(1 + (1 - 0.999 ** 2), 6)], [2]])
  })
})
