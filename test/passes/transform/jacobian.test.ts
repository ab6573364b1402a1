import { describe, expect, expectTypeOf, it } from 'vitest'
import { errorsOf } from '../../../passes/graph/check.ts'
import { grad } from '../../../passes/transform/gradient.ts'
import { hessian, jacfwd, jacrev } from '../../../passes/transform/jacobian.ts'
import { hvp, jvp, linearize } from '../../../passes/transform/jacobian-products.ts'
import { vmap } from '../../../passes/transform/vmap.ts'
import * as T from '../../../src/index.ts'
import { topological } from '../../../src/lang/topological.ts'
import { nodeOf } from '../../../src/lang/types/tensor.ts'
import * as random from '../../../src/random/index.ts'
import * as testing from '../../../src/testing/index.ts'
import { sharedDevice } from '../../device.ts'
import { closeTo, messageOf, numbersOf } from '../graph/numbers.ts'

const normal = (seed: number, ...shape: number[]): T.Tensor => random.normal(random.key(seed), shape)
const x = normal(1, 3)
const m = normal(2, 2, 3)
const modes = [
  ['jacfwd', jacfwd],
  ['jacrev', jacrev],
] as const

/** The Jacobian by central differences of the Float64 interpreter, as rows of results. */
const differences = (f: (x: T.Tensor) => T.Tensor, at: T.Tensor): readonly number[] => {
  const base = numbersOf(at)[0]!
  const h = 1e-4
  const columns = base.map((_, i) => {
    const moved = (by: number): readonly number[] => {
      const step = T.reshape(
        T.tensor(
          base.map((_, k) => (k === i ? by : 0)),
          { dtype: 'f32' },
        ),
        at.shape,
      )
      return numbersOf(f(T.add(at, step)))[0]!
    }
    const [up, down] = [moved(h), moved(-h)]
    return up.map((v, r) => (v - down[r]!) / (2 * Math.fround(h)))
  })
  return columns[0]!.flatMap((_, r) => columns.map((c) => c[r]!))
}

describe.each(modes)('%s', (_, jacobian) => {
  it('of a linear function is its matrix', () => {
    const j = jacobian((v: T.Tensor) => T.matmul(m, v))(x)
    closeTo(j, m)
  })

  it('of an elementwise function is diagonal, of a matrix of rank 2 + 2', () => {
    const j = jacobian((v: T.Tensor) => T.sin(v))(m)
    expect(j.shape).toEqual([2, 3, 2, 3])
    const slopes = numbersOf(T.cos(m))[0]!
    const found = numbersOf(j)[0]!
    for (let i = 0; i < 6; i++)
      for (let k = 0; k < 6; k++) expect(found[6 * i + k]).toBeCloseTo(i === k ? slopes[i]! : 0, 12)
  })

  it('agrees with central differences', () => {
    const f = (v: T.Tensor): T.Tensor => T.matmul(T.tanh(T.mul(v, v)), T.permuteDims(T.exp(v), [1, 0]))
    const want = differences(f, m)
    for (const [i, v] of numbersOf(jacobian(f)(m))[0]!.entries()) expect(v).toBeCloseTo(want[i]!, 5)
  })

  it('gives the tree of results of trees of arguments', () => {
    const f = (p: { a: T.Tensor; c: readonly [T.Tensor] }): { y: T.Tensor; z: readonly [T.Tensor] } => ({
      y: T.mul(p.a, p.c[0]),
      z: [T.sum(T.square(p.a))],
    })
    const j = jacobian(f)({ a: x, c: [T.tensor(2.5)] })
    expect(Object.keys(j)).toEqual(['y', 'z'])
    expect([j.y.a.shape, j.y.c[0].shape, j.z[0].a.shape, j.z[0].c[0].shape]).toEqual([[3, 3], [3], [3], []])
    const identity = T.reshape(T.tensor([1, 0, 0, 0, 1, 0, 0, 0, 1], { dtype: 'f32' }), [3, 3])
    closeTo(j, { y: { a: T.mul(identity, 2.5), c: [x] }, z: [{ a: T.mul(x, 2), c: [T.tensor(0, { dtype: 'f32' })] }] })
  })

  it('takes argnums, aux, and arguments that are no tensors', () => {
    const f = (a: T.Tensor, k: number, b: T.Tensor): readonly [T.Tensor, { readonly n: T.Tensor }] => [
      T.mul(T.mul(a, k), b),
      { n: T.tensor([k]) },
    ]
    const [j, aux] = jacobian(f, { argnums: [2, 0], hasAux: true })(x, 2, T.tensor(3, { dtype: 'f32' }))
    closeTo(j[0], T.mul(x, 2))
    expect(numbersOf(j[1])).toEqual([[6, 0, 0, 0, 6, 0, 0, 0, 6]])
    expect(numbersOf(aux)).toEqual([[2]])
    closeTo(jacobian(f, { argnums: 2, hasAux: true })(x, 2, T.tensor(3, { dtype: 'f32' }))[0], T.mul(x, 2))
  })

  it('works on scalars and on empty tensors', () => {
    closeTo(jacobian((v: T.Tensor) => T.mul(v, v))(T.tensor(1.5)), T.tensor(3, { dtype: 'f32' }))
    expect(jacobian((v: T.Tensor) => T.exp(v))(T.zeros([0, 2])).shape).toEqual([0, 2, 0, 2])
    expect(jacobian((v: T.Tensor) => T.sum(v, { axis: 0 }))(T.zeros([0, 2])).shape).toEqual([2, 0, 2])
  })

  it('goes under vmap and over grad', () => {
    const f = (v: T.Tensor): T.Tensor => T.sum(T.mul(T.square(v), v))
    const rows = vmap(jacobian(grad(f)))(m)
    const want = numbersOf(m)[0]!
    const found = numbersOf(rows)[0]!
    for (let r = 0; r < 2; r++)
      for (let i = 0; i < 3; i++)
        for (let k = 0; k < 3; k++) expect(found[9 * r + 3 * i + k]).toBeCloseTo(i === k ? 6 * want[3 * r + i]! : 0, 9)
  })

  it.each<[string, () => unknown, string]>([
    [
      'an integer argument',
      () => jacobian((v: T.Tensor) => v)(T.tensor([1, 2])),
      'argument 0 is i32[2], and i32 tensors have no derivative',
    ],
    [
      'an integer result',
      () => jacobian((v: T.Tensor) => ({ n: T.cast(v, 'i32') }))(x),
      'the result n is i32[3], and i32 tensors have no derivative',
    ],
    [
      'no aux',
      () => jacobian((v: T.Tensor) => v as never, { hasAux: true } as never)(x),
      'the function must return [value, aux]',
    ],
    [
      'an argument that is not there',
      () => jacobian((v: T.Tensor) => v, { argnums: 1 } as never)(x),
      'there is no argument 1',
    ],
  ])('of %s is a UsageError', (_, call, message) => {
    expect(messageOf(call)).toContain(message)
    expect(messageOf(call)).toMatch(/^UsageError (jacfwd|jacrev): .*\n {2}hint: /s)
  })

  it('of a mistake is that one mistake', () => {
    const wrong = T.add(x, T.ones([2]) as T.Tensor)
    const found = [
      jacobian((v: T.Tensor) => [T.mul(v, v), T.ones([2])] as const)(wrong),
      jacobian((v: T.Tensor) => [T.add(v, wrong), T.exp(v)] as const)(x),
    ] as const
    const outputs = T.flattenTree(found, T.isTensor).leaves.map(nodeOf)
    expect(outputs).toHaveLength(4)
    expect(errorsOf({ inputs: [], outputs })).toHaveLength(1)
    closeTo(found[1][1], jacobian((v: T.Tensor) => T.exp(v))(x))
  })
})

describe('hessian', () => {
  const q = T.add(normal(5, 3, 3), T.permuteDims(normal(5, 3, 3), [1, 0]))

  it('of a quadratic is its matrix', () => {
    closeTo(hessian((v: T.Tensor) => T.mul(T.vecdot(v, T.matmul(q, v)), 0.5))(x), q, 6)
  })

  it('of trees is a tree of trees', () => {
    const h = hessian((p: { a: T.Tensor; b: T.Tensor }) => T.sum(T.mul(T.square(p.a), p.b)))({ a: x, b: T.tensor(2.5) })
    expect([h.a.a.shape, h.a.b.shape, h.b.a.shape, h.b.b.shape]).toEqual([[3, 3], [3], [3], []])
    closeTo([h.a.b, h.b.a, h.b.b], [T.mul(x, 2), T.mul(x, 2), T.tensor(0, { dtype: 'f32' })])
    const [h2, aux] = hessian((v: T.Tensor) => [T.sum(T.square(v)), v] as const, { hasAux: true })(x)
    expect(numbersOf(h2)).toEqual([[2, 0, 0, 0, 2, 0, 0, 0, 2]])
    closeTo(aux, x)
  })

  it('times a vector is hvp', () => {
    const f = (v: T.Tensor): T.Tensor => T.sum(T.mul(T.exp(T.matmul(m, v)), T.sum(T.sin(v))))
    const v = normal(7, 3)
    closeTo(hvp(f, [x], [v]), [T.matmul(hessian(f)(x), v)], 6)
  })
})

describe('hvp', () => {
  it('takes several arguments and trees of them, integers stay out', () => {
    const f = (p: { w: T.Tensor }, y: T.Tensor, n: T.Tensor): T.Tensor =>
      T.sum(T.mul(T.mul(T.square(p.w), y), T.cast(n, 'f32')))
    const n = T.tensor([1, 2, 3])
    const [dp, dy, dn] = hvp(f, [{ w: x }, T.ones([3]), n], [{ w: T.ones([3]) }, x, n])
    const scale = T.tensor([1, 2, 3], { dtype: 'f32' })
    closeTo(
      [dp.w, dy, dn],
      [T.mul(T.add(T.mul(T.square(x), 2), 2), scale), T.mul(T.mul(x, 2), scale), T.zeros([3], { dtype: 'i32' })],
    )
  })

  it.each<[string, () => unknown, string]>([
    ['a vector', () => hvp((v: T.Tensor) => v, [x], [x]), 'hvp: the function gives f32[3], where a scalar is needed'],
    [
      'a tree',
      () => hvp((v: T.Tensor) => [T.sum(v)] as never, [x], [x]),
      'hvp: the function must return one scalar tensor',
    ],
  ])('of %s is a UsageError', (_, call, message) => expect(messageOf(call)).toContain(message))
})

describe('linearize', () => {
  it('is jvp at one place, the function traced once', () => {
    let runs = 0
    const f = (a: T.Tensor, p: { b: T.Tensor }): { y: T.Tensor; n: T.Tensor } => {
      runs++
      return { y: T.mul(T.exp(a), p.b), n: T.tensor([1]) }
    }
    const [value, push] = linearize(f, x, { b: T.tensor(2.5) })
    for (const seed of [1, 2, 3]) {
      const d = [normal(seed, 3), { b: T.tensor(0.5) }] as const
      closeTo(
        [value, push(...d)],
        jvp(
          (a: T.Tensor, p: { b: T.Tensor }) => ({ y: T.mul(T.exp(a), p.b), n: T.tensor([1]) }),
          [x, { b: T.tensor(2.5) }],
          d,
        ),
      )
    }
    expect(runs).toBe(1)
  })

  it('computes the residuals once for many tangents', () => {
    const [, push] = linearize((a: T.Tensor) => T.tanh(T.exp(a)), x)
    const outputs = [1, 2, 3].map((seed) => nodeOf(push(normal(seed, 3))))
    expect(topological(outputs).filter((n) => n.op === 'tanh')).toHaveLength(1)
    expect(messageOf(() => push(T.ones([2])))).toContain('linearize: the tangent [0] is f32[2], its tensor is f32[3]')
  })
})

describe('on a device', () => {
  it('Jacobians and Hessians in one program agree with the interpreter', async () => {
    const f = (v: T.Tensor): T.Tensor => T.tanh(T.matmul(m, T.mul(v, v)))
    const all = (v: T.Tensor): unknown => [
      jacfwd(f)(v),
      jacrev(f)(v),
      hessian((u: T.Tensor) => T.sum(f(u)))(v),
      hvp((u: T.Tensor) => T.sum(f(u)), [v], [v]),
    ]
    expect(await testing.agreesWithReference(all, [x], { device: await sharedDevice() })).toBe(true)
  })
})

describe('types', () => {
  type Out = { readonly y: T.Tensor<readonly [2], 'f32'> }
  type In = { readonly a: T.Tensor<readonly [3, 4], 'f32'>; readonly b: T.Tensor<readonly [], 'f32'> }
  const f = (p: In, _n: number): Out => ({ y: T.mul(T.ones([2]), p.b) })
  it('a Jacobian has the axes of the result, then those of the argument', () => {
    expectTypeOf(jacrev(f)).returns.toEqualTypeOf<{
      readonly y: { readonly a: T.Tensor<readonly [2, 3, 4], 'f32'>; readonly b: T.Tensor<readonly [2], 'f32'> }
    }>()
    expectTypeOf(jacfwd(f)).parameters.toEqualTypeOf<[p: In, n: number]>()
    expectTypeOf(hessian((v: T.Tensor<readonly [3], 'f32'>) => T.sum(v))).returns.toEqualTypeOf<
      T.Tensor<readonly [3, 3], 'f32'>
    >()
  })
})
