/** Loops as a user writes them: scan, map, foriLoop, whileLoop against the same loop unrolled, their derivatives, mistakes. */
import { describe, expect, it } from 'vitest'
import * as T from '../../../../src/index.ts'

type X = T.Tensor
const x5 = T.div(T.reshape(T.arange(30), [5, 2, 3]), 30) as X
const w = T.div(T.reshape(T.arange(9), [3, 3]), 10) as X
const tensors = (...xs: readonly X[]): readonly (readonly number[])[] =>
  (T.reference(xs) as readonly T.HostTensor[]).map((t) => Array.from(t.data))

/** Equal to `digits` decimals, whole trees. */
const close = (got: unknown, want: unknown, digits = 5): void => {
  const flat = (tree: unknown): number[] =>
    T.flattenTree(
      T.reference(tree as X),
      (t): t is T.HostTensor => typeof t === 'object' && t !== null && 'data' in t,
    ).leaves.flatMap((t) => Array.from(t.data))
  const [a, b] = [flat(got), flat(want)]
  expect(a.length).toBe(b.length)
  a.forEach((v, i) => {
    expect(v).toBeCloseTo(b[i]!, digits)
  })
}

/** A recurrent network whose weight is captured, as one loop and unrolled. */
const recur =
  (weight: X) =>
  (h: X, v: X): readonly [X, X] => {
    const next = T.tanh(T.add(T.matmul(h, weight) as X, v)) as X
    return [next, T.sin(next) as X]
  }
const looped = (weight: X, xs: X): X => {
  const [h, ys] = T.scan(recur(weight), T.zeros([2, 3]) as X, xs)
  return T.add(T.sum(T.square(h)), T.sum(ys as X)) as X
}
const unrolled = (weight: X, xs: X): X => {
  let h = T.zeros([2, 3]) as X
  let total = T.tensor(0.0) as X
  for (let i = 0; i < 5; i++) {
    const [next, y] = recur(weight)(h, T.select(xs, i) as X)
    h = next
    total = T.add(total, T.sum(y)) as X
  }
  return T.add(T.sum(T.square(h)), total) as X
}
type Loss = (a: X, b: X) => X
const both = { argnums: [0, 1] } as const

describe('scan', () => {
  it('carries, stacks, and goes backwards', () => {
    const turn = (c: X, v: X): readonly [X, X] => [T.add(c, v) as X, T.mul(c, v) as X]
    const xs = T.tensor([1, 2, 3]) as X
    expect(tensors(...(T.scan(turn, T.tensor(0) as X, xs) as readonly X[]))).toEqual([[6], [0, 2, 9]])
    const back = T.scan(turn, T.tensor(0) as X, xs, { reverse: true }) as readonly X[]
    expect(tensors(...back)).toEqual([[6], [5, 6, 0]])
  })
  it('takes trees, no slices, and no turns', () => {
    const [state, ys] = T.scan(
      (c: { a: X; b: X }) => [{ a: T.add(c.a, 1) as X, b: T.mul(c.b, 2) as X }, []] as const,
      { a: T.tensor(0) as X, b: T.tensor(1) as X },
      [],
      { length: 4 },
    )
    expect([tensors(state.a, state.b), ys]).toEqual([[[4], [16]], []])
    const none = T.scan(
      (c: X, v: X) => [T.add(c, T.sum(v)) as X, v] as const,
      T.tensor(7) as X,
      T.zeros([0, 2], { dtype: 'i32' }) as X,
    )
    expect([tensors(none[0]), none[1].shape]).toEqual([[[7]], [0, 2]])
  })
  it('refuses a length that is no number of turns', () => {
    const run = (xs: unknown, length: unknown): (() => unknown) => {
      const options = { length } as T.ScanOptions
      return () => T.scan((c: X) => [c, []] as const, T.tensor(0) as X, xs as X, options)
    }
    for (const [length, shown] of [
      [-1, '-1'],
      [1.5, '1.5'],
      [Number.NaN, 'NaN'],
      ['3', "'3'"],
    ] as const)
      for (const xs of [[], T.zeros([3])])
        expect(run(xs, length)).toThrow(`T.scan: the option 'length' is ${shown}, not a whole number of at least 0`)
    expect(run([], undefined)).toThrow('nothing says how many turns there are')
    expect(run(T.zeros([]), 3)).toThrow('xs is a scalar, which has no slices')
    expect(run(T.zeros([3]), 4)).toThrow('length is 4, xs has 3')
  })
  it.each([1, 2, 3, 4, 7])('runs %i turns on the device as on the host', async (n) => {
    const f = (xs: X): readonly X[] => {
      const [c, y] = T.scan((c: X, v: X) => [T.add(c, v) as X, T.mul(c, v) as X] as const, T.tensor(0.5) as X, xs)
      return [c, y as X]
    }
    const xs = T.div(T.arange(1, n + 1), 4) as X
    const got = (await T.jit(f)(xs)) as readonly T.HostTensor[]
    expect(got.map((t) => Array.from(t.data))).toEqual(tensors(...f(xs)))
  })
  it('has the derivatives of the unrolled loop, to second order, in both modes', async () => {
    close(T.grad(looped as Loss, both)(w, x5), T.grad(unrolled as Loss, both)(w, x5))
    close(T.hvp(looped, [w, x5], [w, x5]), T.hvp(unrolled, [w, x5], [w, x5]), 4)
    close(T.jvp(looped, [w, x5], [w, x5]), T.jvp(unrolled, [w, x5], [w, x5]))
    close(
      T.jacfwd((v: X) => T.grad(looped as Loss)(v, x5))(w),
      T.jacrev((v: X) => T.grad(unrolled as Loss)(v, x5))(w),
      4,
    )
    const onDevice = (await T.jit(T.grad(looped as Loss, both) as (a: X, b: X) => readonly X[])(
      w,
      x5,
    )) as readonly T.HostTensor[]
    const want = T.reference(T.grad(unrolled as Loss, both)(w, x5)) as readonly T.HostTensor[]
    onDevice.forEach((t, k) => {
      t.data.forEach((v, i) => {
        expect(v).toBeCloseTo(want[k]!.data[i]!, 5)
      })
    })
  })
  it('adds a weight gradient up after the loop, as one contraction', () => {
    const program = T.orThrow(T.compile(T.grad(looped as Loss), [T.spec([3, 3]), T.spec([5, 2, 3])]))
    const { graph } = program.stages[program.stages.length - 1]!
    // The loop that runs back carries nothing of the weight's shape.
    expect(T.showGraph(graph)).toMatch(/= dot\(%\d+, %\d+\) .*: f32\[3, 3\]\n/)
    expect(program.plan.prediction.submits).toBe(1)
  })
  it('uses the memory of one turn again in the same turn', () => {
    const deep = (x: X): X => {
      let y = x
      for (let i = 0; i < 6; i++) y = T.tanh(T.matmul(y, T.matrixTranspose(y))) as X
      return y
    }
    const f = (xs: X): X => T.scan((c: X, v: X) => [deep(T.add(c, v) as X), []] as const, T.zeros([64, 64]) as X, xs)[0]
    const { prediction } = T.orThrow(T.compile(f, [T.spec([3, 64, 64])])).plan
    // Three slices, what is carried at both its places, the start, and two intermediates that take turns.
    expect(prediction.peakBytes).toBeLessThan((3 + 2 + 1 + 2.5) * 64 * 64 * 4)
  })
  it('maps over a batch', () => {
    const batch = T.stack([x5, T.mul(x5, 2) as X, T.neg(x5) as X]) as X
    close(T.vmap((v: X) => looped(w, v))(batch), T.stack([0, 1, 2].map((i) => unrolled(w, T.select(batch, i) as X))))
    const weights = T.stack([w, T.mul(w, 2) as X]) as X
    close(
      T.vmap((v: X) => T.grad(looped as Loss)(v, x5))(weights),
      T.stack([0, 1].map((i) => T.grad(unrolled as Loss)(T.select(weights, i) as X, x5) as X)),
    )
  })
  it('runs inside another, and inside a compiled step whose state stays', async () => {
    const table = (xs: X): X =>
      T.map(
        (row: X) =>
          T.scan((c: X, v: X) => [T.add(c, v) as X, T.mul(c, v) as X] as const, T.tensor(1.5) as X, row)[1] as X,
        xs,
      ) as X
    const xs = T.div(T.reshape(T.arange(12), [3, 4]), 3) as X
    const got = (await T.jit(table)(xs)) as T.HostTensor
    const want = tensors(table(xs))[0]!
    got.data.forEach((v, i) => {
      expect(v).toBeCloseTo(want[i]!, 5)
    })
    const step = (s: X): X => T.foriLoop(0, 3, (_i, c: X) => T.mul(c, 2) as X, s)
    const program = await T.compileOn(await T.defaultDevice(), step, [T.spec([4])], { donate: [0] })
    let state = await program.run([1, 2, 3, 4])
    for (let i = 0; i < 3; i++) state = await program.run(state)
    expect(Array.from(await state.read())).toEqual([4096, 8192, 12288, 16384])
  })
  it('says what is wrong', () => {
    const xs = T.ones([3, 2]) as X
    expect(() => T.scan((c: X, v: X) => [T.concat([c, v]) as X, v] as const, T.zeros([2]) as X, xs)).toThrow(
      'T.scan: the carried value is f32[2] and becomes f32[4]',
    )
    expect(() =>
      T.scan((c: { h: X }) => [{ h: T.greater(c.h, 0) as X }, []] as const, { h: T.zeros([2]) as X }, xs),
    ).toThrow('T.scan: the carried h is f32[2] and becomes bool[2]')
    expect(() => T.scan((c: X) => [c, []] as const, T.zeros([2]) as X, [])).toThrow(
      'nothing says how many turns there are',
    )
    expect(() => T.scan((c: X) => [c, []] as const, T.zeros([2]) as X, { a: xs, b: T.ones([4]) })).toThrow(
      'b has 4 slices, a has 3',
    )
    expect(() => T.scan(((c: X) => c) as never, T.zeros([2]) as X, xs)).toThrow(
      'T.scan: the function must return [carry, y]',
    )
    expect(() =>
      T.reference(T.scan((c: X, v: X) => [T.add(c, T.sum(v, { axis: 4 })) as X, v] as const, T.zeros([]) as X, xs)[0]),
    ).toThrow('axis 4 is out of range')
  })
})

describe('foriLoop and map', () => {
  it('count and stack', () => {
    expect(tensors(T.foriLoop(1, 5, (i, c: X) => T.mul(i, c) as X, T.tensor(1) as X))).toEqual([[24]])
    expect(tensors(T.foriLoop(3, 3, (i, c: X) => T.mul(i, c) as X, T.tensor(1) as X))).toEqual([[1]])
    expect(
      tensors(
        T.map(
          (v: X) => T.sum(v) as X,
          T.tensor([
            [1, 2],
            [3, 4],
          ]) as X,
        ) as X,
      ),
    ).toEqual([[3, 7]])
    expect(() => T.foriLoop(0, 1.5, (_i, c: X) => c, T.tensor(1) as X)).toThrow('must be whole numbers')
  })
})

describe('whileLoop', () => {
  const halvings =
    (options: T.WhileOptions) =>
    (x: X): X =>
      T.whileLoop(
        ([, y]) => T.greater(y, 1) as X,
        ([n, y]) => [T.add(n, 1) as X, T.div(y, 2) as X] as const,
        [T.tensor(0), x] as readonly [X, X],
        options,
      )[0]
  it.each([{ chunk: 4 }, { chunk: 1 }, { maxIterations: 40 }])('finds out how often, %o', async (options) => {
    const f = halvings(options)
    const on = T.jit(f)
    for (const v of [0.5, 1.5, 3.25, 100.5, 1e9 + 0.5]) {
      const want = Math.max(0, Math.ceil(Math.log2(v)))
      expect(tensors(f(T.tensor(v) as X))).toEqual([[want]])
      expect(Array.from(((await on(T.tensor(v) as X)) as T.HostTensor).data)).toEqual([want])
    }
  })
  it('refuses a chunk that is no number of turns', () => {
    for (const chunk of [0, -1, 1.5, Number.NaN])
      expect(() => halvings({ chunk })(T.tensor(2) as X)).toThrow(
        `T.whileLoop: the option 'chunk' is ${chunk}, not a whole number above 0`,
      )
  })
  it('stops at its bound', () => {
    expect(tensors(halvings({ maxIterations: 3 })(T.tensor(100.5) as X))).toEqual([[3]])
  })
  it('says in its Plan that it waits for the device', () => {
    const open = T.orThrow(T.compile(halvings({}), [T.spec([])]))
    const bounded = T.orThrow(T.compile(halvings({ maxIterations: 8 }), [T.spec([])]))
    expect([open.plan.prediction.submits, bounded.plan.prediction.submits]).toEqual([2, 1])
    expect(open.plan.steps.map((s) => s.kind)).toContain('while')
  })
  it('keeps the order of runs that wait, and reads arguments when it is called', async () => {
    const program = await T.compileOn(await T.defaultDevice(), halvings({ chunk: 2 }), [T.spec([])])
    const value = new Float32Array([4.5])
    const first = program.run(value as never)
    value[0] = 64.5
    const second = program.run(value as never)
    expect([await (await first).read(), await (await second).read()].map((a) => a[0])).toEqual([3, 7])
  })
  const grow = (x: X): X =>
    T.whileLoop(
      (y: X) => T.less(y, 100) as X,
      (y) => T.mul(y, y) as X,
      x,
      { maxIterations: 6 },
    )
  const open = (x: X): X =>
    T.whileLoop(
      (y: X) => T.less(y, 100) as X,
      (y) => T.mul(y, y) as X,
      x,
    )
  it('has derivatives: both with a bound, forward without', () => {
    // 3 -> 9 -> 81 -> 6561 = x^8.
    close(T.grad(grow)(T.tensor(3.0001) as X), T.tensor(8 * 3.0001 ** 7), 0)
    close(T.jvp(open, [T.tensor(3.0001) as X], [T.tensor(1.0001) as X])[1], T.tensor(8 * 3.0001 ** 7 * 1.0001), 0)
    expect(() => T.grad(open)(T.tensor(3.5) as X)).toThrow('no reverse mode without a bound')
  })
  it('maps over examples that stop at different times', () => {
    expect(tensors(T.vmap(halvings({}))(T.tensor([0.5, 3.25, 100.5]) as X) as X)).toEqual([[0, 2, 7]])
    expect(tensors(T.vmap(halvings({ maxIterations: 9 }))(T.tensor([0.5, 3.25, 100.5]) as X) as X)).toEqual([[0, 2, 7]])
  })
  it.each([{}, { maxIterations: 3 }, { maxIterations: 0 }])('says what is wrong, %o', (options) => {
    const init = { n: T.tensor(0) as X, k: T.ones([1]) as X }
    type C = typeof init
    const loop =
      (condition: (c: C) => X, body: (c: C) => C): (() => C) =>
      () =>
        T.whileLoop(condition, body, init, options)
    const isBelow = (c: C): X => T.less(c.n, 3) as X
    expect(loop(isBelow, (c) => ({ k: c.k, n: T.cast(c.n, 'f32') as X }))).toThrow(
      'T.whileLoop: the carried n is i32[] and becomes f32[]',
    )
    expect(loop(isBelow, (c) => ({ n: c.n }) as C)).toThrow(
      'T.whileLoop: the carried value changes its structure: 2 tensors (k, n) become 1 (n)',
    )
    const conditions: readonly (readonly [(c: C) => unknown, string])[] = [
      [(c) => c.n, 'i32[]'],
      [(c) => T.sum(c.k), 'f32[]'],
      [(c) => T.less(c.k, 3), 'bool[1]'],
      [(c) => [T.less(c.n, 3), T.less(c.n, 4)], 'bool[], bool[]'],
      [() => [], 'nothing'],
    ]
    for (const [condition, given] of conditions)
      expect(loop(condition as (c: C) => X, (c) => c)).toThrow(
        `T.whileLoop: the condition gives ${given}, where one bool[] is needed`,
      )
    const wrong = loop(isBelow, (c) => ({ k: c.k, n: T.matmul(c.n, c.n) as X }))()
    expect(() => T.reference(wrong.n)).toThrow('matmul')
  })
})
