import * as fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { simplify } from '../../../passes/graph/simplify.ts'
import { grad, valueAndGrad } from '../../../passes/transform/gradient.ts'
import { jvp, vjp } from '../../../passes/transform/jacobian-products.ts'
import { verifyGraph } from '../../../passes/verify-graph.ts'
import { build, constant, freshInputs, typeOf } from '../../../src/lang/build.ts'
import { sizeOf } from '../../../src/lang/dim.ts'
import { evaluate } from '../../../src/lang/evaluate.ts'
import type { Graph, Node } from '../../../src/lang/ir.ts'
import { fill } from '../../../src/lang/ops/rule-parts.ts'
import type { Value } from '../../../src/lang/primitive.ts'
import { topological } from '../../../src/lang/topological.ts'
import { nodeOf, type Tensor, tensorOf } from '../../../src/lang/types/tensor.ts'
import { type Differentiable, functions } from '../graph/functions.ts'
import { f32, i32, program } from '../graph/programs.ts'

const b = build
const t = (n: Node): Tensor => tensorOf(n)
const total = (n: Node): Node => b.reduce([n], { monoid: 'sum', axes: typeOf(n).shape.map((_, i) => i) })

/** A node function as a public one. */
const lift =
  (f: (...xs: Node[]) => Node) =>
  (...xs: readonly Tensor[]): Tensor =>
    t(f(...xs.map(nodeOf)))

/** Deterministic numbers in (low, high), no two equal, none near 0 or near another. */
const values = ({ types, from: [low, high] = [-1.5, 1.5] }: Differentiable, salt: number): readonly Value[] => {
  const count = types.reduce((n, type) => n + sizeOf(type.shape), 0)
  let at = 0
  return types.map((type) => ({
    ...type,
    data: Float64Array.from({ length: sizeOf(type.shape) }, () => {
      const slot = (at++ * 7 + salt * 3) % count
      return low + ((high - low) * (slot + 0.37)) / count
    }),
  }))
}

const numbers = (graph: Graph, xs: readonly Value[]): readonly (readonly number[])[] =>
  evaluate(graph, xs).map((v) => Array.from(v.data))

/** Σ wᵢ fᵢ with fixed weights, so that no output is preferred. */
const weighted =
  (f: (...xs: Node[]) => Node) =>
  (...xs: Node[]): Node => {
    const y = f(...xs)
    const w = Float64Array.from({ length: sizeOf(typeOf(y).shape) }, (_, i) => 0.5 + ((i * 5) % 7) / 4)
    return total(b.mul([y, constant(typeOf(y), w)], {}))
  }

const moved = (xs: readonly Value[], k: number, i: number, h: number): readonly Value[] =>
  xs.map((x, j) => (j === k ? { ...x, data: Float64Array.from(x.data, (v, p) => (p === i ? v + h : v)) } : x))

/** ∂out/∂xₖ[i] of every element of every output, by central differences in Float64. */
const differences = (graph: Graph, xs: readonly Value[], k: number, i: number): readonly (readonly number[])[] => {
  const h = 1e-5
  const [up, down] = [numbers(graph, moved(xs, k, i, h)), numbers(graph, moved(xs, k, i, -h))]
  return up.map((row, r) => row.map((v, c) => (v - down[r]![c]!) / (2 * h)))
}

const close = (got: number, want: number, tolerance = 1e-6): void => {
  expect(Math.abs(got - want), `got ${got}, want ${want}`).toBeLessThanOrEqual(tolerance * (1 + Math.abs(want)))
}

const gradientsOf = (d: Differentiable): ((...xs: Node[]) => readonly Node[]) => {
  const argnums = d.types.map((_, i) => i)
  const g = grad(lift(weighted(d.f)), { argnums }) as unknown as (...xs: readonly Tensor[]) => readonly Tensor[]
  return (...xs) => g(...xs.map(t)).map(nodeOf)
}

describe.each(functions)('$name', (d) => {
  const graph = program(d.types, gradientsOf(d))

  it('gradient agrees with central differences', () => {
    const loss = program(d.types, weighted(d.f))
    expect(verifyGraph(graph, 'checked')).toEqual([])
    for (const salt of [0, 1]) {
      const xs = values(d, salt)
      const got = numbers(graph, xs)
      for (const [k, row] of got.entries()) {
        for (const [i, g] of row.entries()) close(g, differences(loss, xs, k, i)[0]![0]!)
      }
    }
  })

  it('gradient keeps its meaning when simplified', () => {
    const after = simplify.run(graph)
    if (after._tag === 'Left') throw new Error('unreachable')
    const xs = values(d, 2)
    const want = numbers(graph, xs)
    for (const [k, row] of numbers(after.right, xs).entries())
      for (const [i, v] of row.entries()) close(v, want[k]![i]!)
    expect(topological(after.right.outputs).length).toBeLessThanOrEqual(topological(graph.outputs).length)
  })

  it('jvp and vjp are transposes: <ct, J v> = <Jᵀ ct, v>', () => {
    const n = d.types.length
    const both = program([...d.types, ...d.types, typeOf(program(d.types, d.f).outputs[0]!)], (...all) => {
      const [x, v, ct] = [all.slice(0, n).map(t), all.slice(n, 2 * n).map(t), all[2 * n]!]
      const [, tangent] = jvp(lift(d.f), x, v)
      const [, pull] = vjp(lift(d.f), ...x)
      const pulled = pull(t(ct))
      const inner = (p: Node, q: Node): Node => total(b.mul([p, q], {}))
      return [
        inner(ct, nodeOf(tangent)),
        pulled.map((p, i) => inner(nodeOf(p), nodeOf(v[i]!))).reduce((p, q) => b.add([p, q], {})),
      ]
    })
    const more = values({ ...d, types: both.inputs.slice(n).map((p) => p.params) }, 1)
    const [[left], [right]] = numbers(both, [...values(d, 0), ...more]) as [[number], [number]]
    close(left, right, 1e-12)
  })

  it('second derivative agrees with differences of the first', () => {
    const n = d.types.length
    const hvp = program([...d.types, ...d.types], (...all) => {
      const alongV = (...xs: readonly Tensor[]): Tensor => {
        const gs = gradientsOf(d)(...xs.map(nodeOf))
        return t(gs.map((g, i) => total(b.mul([g, all[n + i]!], {}))).reduce((p, q) => b.add([p, q], {})))
      }
      const g = grad(alongV, { argnums: d.types.map((_, i) => i) }) as unknown as (
        ...xs: readonly Tensor[]
      ) => readonly Tensor[]
      return g(...all.slice(0, n).map(t)).map(nodeOf)
    })
    const xs = values(d, 0)
    const vs = values(d, 3)
    const h = 1e-5
    const shifted = (sign: number): readonly Value[] =>
      xs.map((x, k) => ({ ...x, data: Float64Array.from(x.data, (v, i) => v + sign * h * vs[k]!.data[i]!) }))
    const [up, down] = [numbers(graph, shifted(1)), numbers(graph, shifted(-1))]
    for (const [k, row] of numbers(hvp, [...xs, ...vs]).entries())
      for (const [i, v] of row.entries()) close(v, (up[k]![i]! - down[k]![i]!) / (2 * h), 1e-5)
  })
})

describe('grad', () => {
  const mul = (x: Tensor, y: Tensor): Tensor => t(b.mul([nodeOf(x), nodeOf(y)], {}))
  const scalar = (): Tensor => t(freshInputs([f32()])[0]!)
  const one = fill(b, f32(), 1)

  it('of w => w·x at x is x: traced on fresh inputs', () => {
    const x = scalar()
    expect(grad((w: Tensor) => mul(w, x))(x)).toBe(t(b.mul([one, nodeOf(x)], {})))
    expect(grad((w: Tensor, v: Tensor) => mul(w, v))(x, x)).toBe(t(b.mul([one, nodeOf(x)], {})))
  })

  it('of x³ four times is 6, 6x², …', () => {
    const cube = (x: Tensor): Tensor => mul(x, mul(x, x))
    const [d1, d2] = [grad(cube), grad(grad(cube))]
    const [d3, d4] = [grad(d2), grad(grad(d2))]
    const graph = program([f32()], (x) => [d1, d2, d3, d4].map((d) => nodeOf(d(t(x)))))
    expect(numbers(graph, [{ ...f32(), data: Float64Array.of(2) }])).toEqual([[12], [12], [6], [0]])
  })

  it('nested, capturing outer inputs: d/dx (x · d/dy (x·y²) at y = x) = 6x²·…', () => {
    // inner'(y) = 2xy at y = x is 2x², so the outer function is 2x³ and its derivative 6x².
    const f = (x: Tensor): Tensor => mul(x, grad((y: Tensor) => mul(x, mul(y, y)))(x))
    const graph = program([f32()], (x) => nodeOf(grad(f)(t(x))))
    expect(numbers(graph, [{ ...f32(), data: Float64Array.of(3) }])).toEqual([[54]])
  })

  it('keeps perturbations apart: d/dx (x · d/dy (x + y)) = 1', () => {
    const f = (x: Tensor): Tensor => mul(x, jvp((y: Tensor) => t(b.add([nodeOf(x), nodeOf(y)], {})), [x], [t(one)])[1])
    const graph = program([f32()], (x) => [nodeOf(grad(f)(t(x))), nodeOf(jvp(f, [t(x)], [t(one)])[1])])
    expect(numbers(graph, [{ ...f32(), data: Float64Array.of(5) }])).toEqual([[1], [1]])
  })

  it('gives a tree like the argument, zeros where nothing depends on a leaf', () => {
    const [w, c, x] = freshInputs([f32(2), f32(3), f32(2)]).map(t) as [Tensor, Tensor, Tensor]
    const g = grad((p: { w: Tensor; unused: readonly [Tensor] }, y: Tensor) => t(total(nodeOf(mul(p.w, y)))))
    const found = g({ w, unused: [c] }, x)
    expect(Object.keys(found).toSorted()).toEqual(['unused', 'w'])
    expect(found.unused[0]).toBe(t(fill(b, f32(3), 0)))
    expect(found.w.shape).toEqual([2])
  })

  it('takes argnums, aux, and arguments that are no tensors', () => {
    const [x, y] = freshInputs([f32(), f32()]).map(t) as [Tensor, Tensor]
    const f = (p: Tensor, power: number, q: Tensor): readonly [Tensor, { readonly twice: Tensor }] => {
      const xy = Array.from({ length: power }).reduce<Tensor>((acc) => mul(acc, p), q)
      return [xy, { twice: t(b.add([nodeOf(xy), nodeOf(xy)], {})) }]
    }
    const [[value, aux], [dp, dq]] = valueAndGrad(f, { argnums: [0, 2], hasAux: true })(x, 2, y)
    const graph = { inputs: [x, y].map(nodeOf), outputs: [value, aux.twice, dp, dq].map(nodeOf) } as unknown as Graph
    const at = (v: number): Value => ({ ...f32(), data: Float64Array.of(v) })
    expect(numbers(graph, [at(3), at(5)])).toEqual([[45], [90], [30], [9]])
    const [only, auxOnly] = grad(f, { argnums: 2, hasAux: true })(x, 2, y)
    expect(only).toBe(dq)
    expect(auxOnly.twice).toBe(aux.twice)
  })

  it('traces once for value and gradient', () => {
    let runs = 0
    valueAndGrad((x: Tensor) => {
      runs++
      return mul(x, x)
    })(scalar())
    expect(runs).toBe(1)
  })

  it('never makes nodes of zeros: what does not depend on the argument costs nothing', () => {
    const [x, y] = freshInputs([f32(), f32()]) as unknown as [Node, Node]
    let n = y
    for (let i = 0; i < 50; i++) n = b.sin([n], {})
    const g = grad((w: Tensor) => t(b.mul([nodeOf(w), n], {})))(t(x))
    expect(topological([nodeOf(g)]).length).toBe(53)
  })

  it.each<[string, () => unknown, string]>([
    ['a vector', () => grad((x: Tensor) => x)(t(freshInputs([f32(3)])[0]!)), 'f32[3], where a scalar is needed'],
    [
      'an integer',
      () => grad((x: Tensor) => t(b.cast([nodeOf(x)], { dtype: 'i32' })))(scalar()),
      'i32[], and i32 values have no derivative',
    ],
    [
      'with respect to an integer',
      () => grad((p: { n: Tensor }) => t(b.cast([nodeOf(p.n)], { dtype: 'f32' })))({ n: t(freshInputs([i32()])[0]!) }),
      'argument 0 .n is i32[]',
    ],
    ['a tree', () => grad(((x: Tensor) => [x, x]) as never)(scalar() as never), 'must return one scalar tensor'],
    ['an argument that is not there', () => grad((x: Tensor) => x, { argnums: 1 } as never)(scalar()), 'no argument 1'],
  ])('of %s is a UsageError', (_, call, message) => {
    expect(call).toThrow(message)
    try {
      call()
    } catch (error) {
      expect((error as { error: { tag: string; hint: string } }).error).toMatchObject({
        tag: 'UsageError',
        hint: expect.any(String),
      })
    }
  })

  it('of an ill-typed loss is ill-typed, with the one error of the loss', () => {
    const [x] = freshInputs([f32(3)])
    const [value, g] = valueAndGrad((w: Tensor) => {
      const wrong = b.add([nodeOf(w), constant(f32(2), [1, 2])], {})
      return t(b.reduce([wrong], { monoid: 'sum', axes: [0] }))
    })(t(x!))
    expect(nodeOf(g).type).toEqual(nodeOf(value).type)
    expect(() => g.shape).toThrow('add')
  })

  it('of an ill-typed argument is ill-typed', () => {
    const wrong = t(b.add([constant(f32(3), [1, 2, 3]), constant(f32(2), [1, 2])], {}))
    expect(() => grad((w: Tensor) => t(total(nodeOf(w))))(wrong).shape).toThrow('add')
  })
})

describe('types', () => {
  type Weights = { readonly w: Tensor<readonly [3, 4], 'f32'>; readonly b: readonly [Tensor<readonly [4], 'f32'>] }
  type Loss = Tensor<readonly [], 'f32'>
  const loss = (p: Weights, x: Tensor<readonly [2, 3], 'f32'>, power: number): Loss =>
    t(total(b.pow([nodeOf(p.w), fill(b, f32(3, 4), power * x.shape[0])], {}))) as Loss
  const withAux = (p: Weights, scale: number): readonly [Loss, { readonly twice: Tensor }] => {
    const y = loss(p, t(constant(f32(2, 3), [1, 2, 3, 4, 5, 6])) as Tensor<readonly [2, 3], 'f32'>, scale)
    return [y, { twice: t(b.add([nodeOf(y), nodeOf(y)], {})) }]
  }

  it('a gradient has the type of what is differentiated', () => {
    expectTypeOf(grad(loss)).returns.toEqualTypeOf<Weights>()
    expectTypeOf(grad(loss)).parameters.toEqualTypeOf<Parameters<typeof loss>>()
    expectTypeOf(grad(loss, { argnums: 1 })).returns.toEqualTypeOf<Tensor<readonly [2, 3], 'f32'>>()
    expectTypeOf(grad(loss, { argnums: [1, 0] })).returns.toEqualTypeOf<
      readonly [Tensor<readonly [2, 3], 'f32'>, Weights]
    >()
    expectTypeOf(valueAndGrad(loss)).returns.toEqualTypeOf<readonly [Loss, Weights]>()
  })

  it('aux keeps its type', () => {
    expectTypeOf(grad(withAux, { hasAux: true })).returns.toEqualTypeOf<
      readonly [Weights, { readonly twice: Tensor }]
    >()
    expectTypeOf(valueAndGrad(withAux, { hasAux: true })).returns.toEqualTypeOf<
      readonly [readonly [Loss, { readonly twice: Tensor }], Weights]
    >()
    // @ts-expect-error a pair is no loss unless hasAux says so
    expect(() => grad(withAux)).not.toThrow()
  })
})

describe('vjp and jvp', () => {
  const at = (type: Value['dtype'], shape: readonly number[], ...data: number[]): Value => ({
    shape,
    dtype: type,
    data: Float64Array.from(data),
  })

  it('take trees, and give integers zeros', () => {
    const [x] = freshInputs([f32(2)])
    const [n] = freshInputs([i32()])
    const f = (p: { x: Tensor; n: Tensor }): { y: Tensor; m: Tensor } => ({
      y: t(b.mul([nodeOf(p.x), nodeOf(p.x)], {})),
      m: t(b.add([nodeOf(p.n), nodeOf(p.n)], {})),
    })
    const [value, pull] = vjp(f, { x: t(x!), n: t(n!) })
    const [back] = pull({ y: t(constant(f32(2), [1, 10])), m: value.m })
    const [, tangent] = jvp(f, [{ x: t(x!), n: t(n!) }], [{ x: t(constant(f32(2), [1, 2])), n: t(n!) }])
    const outputs = [value.y, back.x, back.n, tangent.y, tangent.m].map(nodeOf)
    const graph = { inputs: [x, n], outputs } as unknown as Graph
    const got = numbers(graph, [at('f32', [2], 3, 4), { shape: [], dtype: 'i32', data: Int32Array.of(7) }])
    expect(got).toEqual([[9, 16], [6, 80], [0], [6, 16], [0]])
  })

  it('pull many cotangents back through one linearisation', () => {
    const [x] = freshInputs([f32(2)])
    const [, pull] = vjp((y: Tensor) => t(b.exp([nodeOf(y)], {})), t(x!))
    const rows = [
      [1, 0],
      [0, 1],
    ].map((ct) => nodeOf(pull(t(constant(f32(2), ct)))[0]))
    const got = numbers({ inputs: [x!], outputs: rows }, [at('f32', [2], 0, 1)])
    expect(got).toEqual([
      [1, 0],
      [0, Math.E],
    ])
  })

  it('refuse cotangents and tangents of another type or structure', () => {
    const [x] = freshInputs([f32(2)])
    const [, pull] = vjp((y: Tensor) => ({ y }), t(x!))
    expect(() => pull({ y: t(constant(f32(3), [1, 2, 3])) })).toThrow('the cotangent y is f32[3], its tensor is f32[2]')
    expect(() => pull([t(x!)] as never)).toThrow('structure')
    expect(() => jvp((y: Tensor) => y, [t(x!)], [t(constant({ shape: [2], dtype: 'i32' }, [1, 2]))])).toThrow('i32[2]')
  })

  it('agree on empty tensors', () => {
    const [x] = freshInputs([f32(0, 3)])
    const [, pull] = vjp((y: Tensor) => t(b.reduce([b.exp([nodeOf(y)], {})], { monoid: 'sum', axes: [0] })), t(x!))
    const [back] = pull(t(constant(f32(3), [1, 2, 3])))
    expect(numbers({ inputs: [x!], outputs: [nodeOf(back)] }, [at('f32', [0, 3])])).toEqual([[]])
  })
})

describe('a graph of 100,000 nodes', () => {
  it('is differentiated without recursion, in linearly many nodes', () => {
    const size = (depth: number): number => {
      const [x] = freshInputs([f32()])
      const g = grad((w: Tensor) => {
        let n: Node = nodeOf(w)
        for (let i = 0; i < depth; i++) n = i % 2 === 0 ? b.sin([n], {}) : b.add([n, n], {})
        return t(n)
      })(t(x!))
      return topological([nodeOf(g)]).length
    }
    const [half, whole] = [size(50_000), size(100_000)]
    expect(whole).toBeGreaterThan(200_000)
    expect(whole / half).toBeLessThan(2.01)
  })

  it('adds cotangents in one order, whatever was built before', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), (uses) => {
        const build1 = (): string => {
          const graph = program([f32()], (x) =>
            nodeOf(
              grad((w: Tensor) =>
                t(
                  Array.from({ length: uses }, (_, i): Node => b.mul([nodeOf(w), fill(b, f32(), i)], {})).reduce(
                    (p, q) => b.add([p, q], {}),
                  ),
                ),
              )(t(x)),
            ),
          )
          const position = new Map(topological(graph.outputs).map((n, i) => [n, i]))
          return topological(graph.outputs)
            .map((n) => `${n.op}(${n.args.map((a) => position.get(a)).join()})`)
            .join(';')
        }
        expect(build1()).toBe(build1())
      }),
      { seed: 42, numRuns: 20 },
    )
  })
})
