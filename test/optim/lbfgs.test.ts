/** L-BFGS: known minima, the conditions of its line search, and what it does where there is no way down. */
import { describe, expect, it, test } from 'vitest'
import { compile, orThrow, toPromise } from '../../src/compile/compile.ts'
import * as T from '../../src/index.ts'
import * as optim from '../../src/optim/index.ts'
import type { Device } from '../../src/runtime/device.ts'
import { profileOf } from '../../src/runtime/open-device.ts'
import type { Output } from '../../src/runtime/resident.ts'
import { sharedDevice, sharedProcessor } from '../device.ts'

type X = T.Tensor
const vector = (xs: readonly number[]): X => T.tensor(xs as number[], { dtype: 'f32' }) as X
const read = (x: X): readonly number[] => Array.from((T.reference(x) as T.HostTensor).data)
const first = (x: X): number => read(x)[0]!

const rosenbrock = (x: X): X => {
  const count = x.shape[0]! - 1
  const [a, b] = [T.narrow(x, 0, count), T.narrow(x, 1, count)]
  return T.sum(T.add(T.mul(100, T.square(T.sub(b, T.square(a)))), T.square(T.sub(1, a)))) as X
}
const start2 = [-1.2, 1]
const start20 = Array.from({ length: 20 }, (_, i) => start2[i % 2]!)

/** Data of a logistic regression with a penalty, whose minimum Newton's method finds below. */
const samples = 40
const features = 3
const table = Array.from({ length: samples }, (_, i) =>
  Array.from({ length: features }, (_, j) => Math.fround(Math.sin(1 + 3 * i + 7 * j * j) * (j + 1))),
)
const labels = table.map((row, i) => (row[0]! - 0.5 * row[1]! + Math.sin(i * i) > 0 ? 1 : 0))
const penalty = 0.01

interface Model {
  readonly w: X
  readonly b: X
}
const logistic =
  (x: X, y: X) =>
  (p: Model): X => {
    const logits = T.add(T.matmul(x as never, p.w as never), p.b) as X
    const losses = T.sub(T.logaddexp(0, logits), T.mul(y, logits))
    return T.add(T.mean(losses), T.mul(penalty / 2, T.sum(T.square(p.w)))) as X
  }

/** A linear system solved by Gauss's elimination. */
const solve = (a: readonly (readonly number[])[], b: readonly number[]): readonly number[] => {
  const rows = a.map((r, i) => [...r, b[i]!])
  const n = rows.length
  for (let k = 0; k < n; k++)
    for (let i = 0; i < n; i++) {
      if (i === k) continue
      const factor = rows[i]![k]! / rows[k]![k]!
      for (let j = k; j <= n; j++) rows[i]![j]! -= factor * rows[k]![j]!
    }
  return rows.map((r, i) => r[n]! / r[i]!)
}

/** The minimum in Float64: weights, then the bias. */
const optimum = (): readonly number[] => {
  let p: readonly number[] = Array.from({ length: features + 1 }, () => 0)
  const rows = table.map((r) => [...r, 1])
  for (let k = 0; k < 30; k++) {
    const odds = rows.map((r) => 1 / (1 + Math.exp(-r.reduce((s, x, j) => s + x * p[j]!, 0))))
    const of = (j: number): number => (j < features ? penalty : 0)
    const g = p.map((w, j) => rows.reduce((s, r, i) => s + ((odds[i]! - labels[i]!) * r[j]!) / samples, of(j) * w))
    const h = p.map((_, j) =>
      p.map((_, l) =>
        rows.reduce((s, r, i) => s + (odds[i]! * (1 - odds[i]!) * r[j]! * r[l]!) / samples, j === l ? of(j) : 0),
      ),
    )
    const move = solve(h, g)
    p = p.map((w, j) => w - move[j]!)
  }
  return p
}

/** Two minimisations: where they end, and after how many steps. */
const few = (a: X, x: X, y: X): readonly X[] => {
  const two = optim.minimise(rosenbrock, a)
  const model = optim.minimise(logistic(x, y), { w: T.zeros([features]) as X, b: T.zeros([]) as X })
  const weights = T.concat([model.params.w, T.reshape(model.params.b, [1])] as never) as X
  return [T.stack([two.steps, model.steps]) as X, two.params, weights]
}

/** A long one and some single steps with them. */
const all = (a: X, x: X, y: X, b: X): readonly X[] => {
  const twenty = optim.minimise(rosenbrock, b, { maxIterations: 200 })
  const o = optim.lbfgs({ history: 5 })
  const steps = T.foriLoop(
    0,
    40,
    (_, now: { params: X; state: optim.LbfgsState }) => {
      const { params, state } = o.update(now.params, rosenbrock, now.state)
      return { params, state }
    },
    { params: a, state: o.init(a) },
  )
  return [...few(a, x, y), twenty.params, steps.params]
}

const check = ([counts, two, model, ...others]: readonly ArrayLike<number>[]): void => {
  for (const found of [two!, ...others])
    expect(Array.from(found)).toEqual(Array.from(found, () => expect.closeTo(1, 5)))
  expect(Array.from(model!)).toEqual(optimum().map((w) => expect.closeTo(w, 5)))
  expect(counts![0]!).toBeLessThan(60)
  expect(counts![1]!).toBeLessThan(40)
}

const data = [vector(start2), T.tensor(table) as X, vector(labels), vector(start20)] as const

/** The results of a program of its own, compiled for and run on a device. */
const run = async (f: never, args: readonly X[], device: Device): Promise<readonly Float32Array[]> => {
  const specs = args.map((x) => T.spec(x.shape))
  const program = orThrow(compile(f, specs as never, { profile: profileOf(device) }))
  const loaded = await toPromise(program.load(device))
  const results = await loaded.run(...(args.map((x) => Float32Array.from(read(x))) as never))
  return Promise.all((results as unknown as readonly Output[]).map(async (r) => (await r.read()) as Float32Array))
}

describe('minimise finds known minima to 1e-5', () => {
  it('on the interpreter', () => {
    const [a, x, y] = data
    check((T.reference(few(a, x, y)) as readonly T.HostTensor[]).map((x) => x.data))
  })
  it('on the processor, in one program', async () => {
    check(await run(all as never, data, await sharedProcessor()))
  })
  it('on a GPU', async () => {
    const f = (x: X): readonly X[] => [optim.minimise(rosenbrock, x, { history: 3 }).params]
    const [found] = await run(f as never, [vector(start2)], await sharedDevice())
    expect(Array.from(found!)).toEqual([expect.closeTo(1, 5), expect.closeTo(1, 5)])
  })
})

describe('a step', () => {
  /** A loss of one number whose way down is not its gradient's length. */
  const losses: readonly (readonly [string, (x: X) => X, number])[] = [
    ['a steep valley', (x) => T.sum(T.mul(1e6, T.square(x))) as X, 3],
    ['a flat one', (x) => T.sum(T.mul(1e-6, T.square(x))) as X, 3],
    ['a wave', (x) => T.sum(T.sin(x)) as X, 1],
    ['a wall', (x) => T.sum(T.sub(T.div(1, x), T.log(T.sub(1, x)))) as X, 0.001],
    ['a fourth power', (x) => T.sum(T.square(T.square(x))) as X, 10],
  ]
  it.each(losses)('satisfies the strong Wolfe conditions: %s', (_, loss, from) => {
    const o = optim.lbfgs({ maxEvaluations: 40 })
    const p = vector([from])
    const next = o.update(p, loss, o.init(p))
    const at = (x: X): readonly [number, number] => {
      const [value, slope] = T.valueAndGrad(loss as never)(x as never) as unknown as readonly [X, X]
      return [first(value), first(slope)]
    }
    const [[f0, g0], [f1, g1]] = [at(p), at(next.params)]
    const move = first(next.params) - from
    expect(f1).toBeLessThanOrEqual(f0 + 1e-4 * g0 * move + 2 ** -22 * Math.abs(f0))
    expect(Math.abs(g1)).toBeLessThanOrEqual(0.9 * Math.abs(g0))
    expect(first(next.loss)).toBeCloseTo(f1, 5)
  })

  it('at a minimum moves nothing', () => {
    const end = optim.minimise((x: X) => T.sum(T.square(x)) as X, vector([0, 0]))
    expect([read(end.params), read(end.steps), read(end.converged as X)]).toEqual([[0, 0], [0], [1]])
    const o = optim.lbfgs()
    const next = o.update(vector([0, 0]), (x) => T.sum(T.square(x)) as X, o.init(vector([0, 0])))
    expect(read(next.params)).toEqual([0, 0])
    expect(read(next.state.moves).every((x) => x === 0)).toBe(true)
  })

  it('from where the loss is no number ends where it began', () => {
    const end = optim.minimise((x: X) => T.sum(T.log(x)) as X, vector([-1]))
    expect([read(end.params), read(end.converged as X)]).toEqual([[-1], [0]])
  })

  it('from where the slope is infinite ends where it began', () => {
    const o = optim.lbfgs()
    for (const [loss, from] of [
      [(x: X) => T.sum(T.sqrt(x)) as X, [0, 1]],
      [(x: X) => T.log(T.sum(T.sub(T.square(x), 1))) as X, [1, 1]],
    ] as const) {
      const next = o.update(vector([...from]), loss, o.init(vector([...from])))
      expect(read(next.params)).toEqual(from)
      expect(read(next.state.moves).every((x) => x === 0)).toBe(true)
    }
  })

  it('of nothing is nothing', () => {
    const end = optim.minimise((_: readonly X[]) => T.full([], 2) as X, [])
    expect([end.params, first(end.loss), first(end.converged as X)]).toEqual([[], 2, 1])
  })

  it('keeps trees, shapes and dtypes', () => {
    const tree = { a: [T.full([2, 1], 3, { dtype: 'f16' }) as X], b: T.full([], -2) as X, c: T.zeros([0]) as X }
    const loss = (p: typeof tree): X => T.add(T.sum(T.square(T.cast(p.a[0]!, 'f32'))), T.square(T.sub(p.b, 1))) as X
    const { params } = optim.minimise(loss, tree)
    expect(T.mapTree(params, (x) => [x.dtype, x.shape])).toEqual(T.mapTree(tree, (x) => [x.dtype, x.shape]))
    expect([read(params.a[0]!), read(params.b)]).toEqual([
      [expect.closeTo(0, 4), expect.closeTo(0, 4)],
      [expect.closeTo(1, 5)],
    ])
  })
})

test('vmap minimises from many starts', () => {
  const loss = (x: X): X => T.sum(T.mul(T.square(T.sub(x, 1)), vector([1, 9]))) as X
  const f = (x: X): X => optim.minimise(loss, x, { maxIterations: 12 }).params
  const ends = read(T.vmap(f)(T.tensor([start2, [1, 1], [2, -1]]) as X) as X)
  expect(ends).toEqual(ends.map(() => expect.closeTo(1, 5)))
})

test('what is no loss, and what has no gradient', () => {
  const x = vector([1])
  expect(() => optim.minimise(3 as never, x)).toThrow('optim.minimise: the loss is 3, not a function')
  expect(() => optim.lbfgs().update(x, undefined as never, optim.lbfgs().init(x))).toThrow(
    'optim.lbfgs: the loss is undefined, not a function',
  )
  expect(() => optim.lbfgs().update(x, rosenbrock, optim.lbfgs({ history: 3 }).init(x))).toThrow(
    'optim.lbfgs: the state is not one of 1 parameters and 10 steps',
  )
  expect(() => optim.minimise((p: X) => T.sum(p) as X, T.tensor([1], { dtype: 'i32' }) as X)).toThrow('is i32')
  expect(() => optim.minimise((p: X) => T.mul(p, p) as X, vector([1, 2]))).toThrow('scalar')
})
