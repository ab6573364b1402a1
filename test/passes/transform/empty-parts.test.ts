/** Absent parts of trees, and the order in which keys were written, through everything that walks trees. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as T from '../../../src/index.ts'
import * as optim from '../../../src/optim/index.ts'

interface Parts {
  readonly [key: string]: T.Tensor | null | undefined | readonly (T.Tensor | null)[] | Parts
}

/** A record with tensors, empty parts, lists and records, its keys in any order. */
const record: fc.Arbitrary<Parts> = fc.letrec<{ record: Parts }>((tie) => ({
  record: fc.uniqueArray(fc.constantFrom('w', 'b', 'z', 'a', 'm'), { minLength: 1, maxLength: 4 }).chain((keys) => {
    const leaf = fc.constant(T.tensor([1.5, -2]))
    const part = fc.oneof(
      { depthSize: 'small', maxDepth: 2 },
      leaf,
      fc.constantFrom(null, undefined),
      fc.array(fc.oneof(leaf, fc.constant(null)), { maxLength: 3 }),
      tie('record'),
    )
    return fc
      .tuple(...keys.map((k) => part.map((v) => [k, v] as const)))
      .map((entries): Parts => Object.fromEntries(entries))
  }),
})).record

/** The tree with the name of its kind in the place of every part without parts: keys in their order. */
const outline = (x: unknown): unknown => {
  if (T.isTensor(x)) return 'tensor'
  if (Array.isArray(x)) return x.map(outline)
  return x === null || x === undefined ? String(x) : Object.entries(x as object).map(([k, v]) => [k, outline(v)])
}

const total = (p: Parts): T.Tensor => {
  const { leaves } = T.flattenTree(p, T.isTensor)
  return leaves.reduce((sum: T.Tensor, x) => T.add(sum, T.sum(T.square(x))), T.tensor(0.5))
}

describe('trees keep their absent parts and their order', () => {
  const walkers: readonly (readonly [string, (p: Parts) => unknown])[] = [
    ['mapTree', (p) => T.mapTree(p, (x) => T.neg(x))],
    ['zipTrees', (p) => T.zipTrees(([x, y]) => T.add(x!, y!), p, p)],
    ['grad', (p) => T.grad(total)(p)],
    [
      'the result of valueAndGrad',
      (p) => T.valueAndGrad((q: Parts) => [total(q), q] as const, { hasAux: true })(p)[0][1],
    ],
    ['vjp', (p) => T.vjp((q: Parts) => q, p)[1](p)[0]],
    ['jvp', (p) => T.jvp((q: Parts) => q, [p], [p])[1]],
    ['vmap', (p) => T.vmap((q: Parts) => q)({ ...p, some: T.ones([2]) })],
    ['scan', (p) => T.scan((c: Parts, _x: T.Tensor) => [c, c] as const, p, T.ones([3]))],
    ['foriLoop', (p) => T.foriLoop(0, 2, (_i, c: Parts) => c, p)],
    [
      'cond',
      (p) =>
        T.cond(
          T.tensor(true),
          (q: Parts) => q,
          (q: Parts) => q,
          p,
        ),
    ],
    ['checkpoint', (p) => T.checkpoint((q: Parts) => q)(p)],
    ['an optimiser', (p) => optim.adam(0.1).update(p, T.grad(total)(p), optim.adam(0.1).init(p)).params],
    ['the state of one', (p) => optim.sgd(0.1, { momentum: 0.9 }).init({ p })],
    ['reference', (p) => T.mapTree(p, (x) => T.fromArray(T.reference(x).data, [2]))],
  ]
  it.each(walkers)('%s', (name, walk) => {
    fc.assert(
      fc.property(record, (p) => {
        const got = outline(walk(p))
        const own = outline(p) as readonly unknown[]
        if (name === 'vmap') expect(got).toEqual([...own, ['some', 'tensor']])
        else if (name === 'scan') expect(got).toEqual([own, own])
        else if (name === 'the state of one') expect(JSON.stringify(got)).toContain(JSON.stringify(own))
        else expect(got).toEqual(own)
      }),
      { numRuns: 40, seed: 12 },
    )
  })

  it('through a compiled program, beside results in the order they were written', async () => {
    const [p] = fc.sample(record, { numRuns: 1, seed: 5 })
    const step = (q: Parts) => ({
      z: T.tensor(1),
      q: T.grad(total)(q),
      loss: total(q),
      acc: null,
      b: [undefined, T.tensor(2)],
    })
    const results = await (await T.compileOn(await T.defaultDevice(), step, [p!])).run(p!)
    expect(Object.keys(results)).toEqual(['z', 'q', 'loss', 'acc', 'b'])
    expect(outline(T.mapTree(results.q, () => T.ones([])))).toEqual(outline(p))
    expect([results.acc, results.b[0]]).toEqual([null, undefined])
    const again = await T.jit(step)(p!)
    expect(Object.keys(again)).toEqual(['z', 'q', 'loss', 'acc', 'b'])
  })

  it('a function that returns nothing is told so', () => {
    const nothing = () => undefined as unknown as T.Tensor
    const message = 'what the function returns is undefined'
    expect(() => T.orThrow(T.compile(nothing, []))).toThrow(message)
    expect(() => T.grad(nothing as (x: T.Tensor) => T.Tensor)(T.ones([]))).toThrow(message)
    expect(() => T.vmap(nothing as (x: T.Tensor) => T.Tensor)(T.ones([2]))).toThrow(message)
    expect(() => T.cond(T.tensor(true), nothing, nothing)).toThrow(message)
    expect(() => T.reference(undefined)).toThrow('the tree itself is undefined')
  })
})
