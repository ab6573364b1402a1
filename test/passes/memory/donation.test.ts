/** Which result takes the place of which argument that is given away. */
import { describe, expect, it } from 'vitest'
import * as E from '#fp/Either'
import type { Plan } from '../../../codegen/plan/plan.ts'
import { matchDonations } from '../../../passes/memory/donation.ts'
import * as T from '../../../src/index.ts'
import { build as b, freshInputs } from '../../../src/lang/build.ts'
import { showError } from '../../../src/lang/errors.ts'
import type { Node, TensorType } from '../../../src/lang/ir.ts'
import * as optim from '../../../src/optim/index.ts'
import { programs } from '../../bench/programs.ts'
import { f32, i32 } from '../graph/programs.ts'

/** A result that is computed from the arguments by `of`; from nothing of them without it. */
interface Result {
  readonly type?: TensorType
  readonly of?: (...inputs: readonly Node[]) => Node
}

type Arguments = Readonly<Record<string, TensorType>>
type Results = Readonly<Record<string, Result>>

const w = f32(3, 5)
const other: Result = {}
const elsewhere = (type: TensorType): Node => b.exp([freshInputs([type])[0]!], {})

/** Pairs of paths, arguments first, or what is refused; `kept` are not given away. */
const matched = (args: Arguments, results: Results, kept: readonly string[] = []): readonly string[] | string => {
  const nodes = freshInputs(Object.values(args))
  const inputs = Object.keys(args).map((path, i) => ({ path, node: nodes[i]! as Node, donated: !kept.includes(path) }))
  const outputs = Object.entries(results).map(([path, { type = w, of }]) => ({
    path,
    node: of ? of(...nodes) : elsewhere(type),
  }))
  const match = matchDonations(inputs, outputs)
  if (E.isLeft(match)) return match.left.message
  return [...match.right].map(([i, o]) => `${inputs[i]!.path} <- ${outputs[o]!.path}`).sort()
}

const first: Result = { of: (x) => x! }
const negated: Result = { of: (x) => b.neg([x!], {}) }
const turned: Result = { of: (x) => b.flip([x!], { axes: [0] }) }

const unclear = (a: string, c: string, argument: string): string =>
  `compile: ${a} and ${c} are equally near to argument ${argument}, which is donated: which of them takes its place is not clear`

describe('the place of an argument that is given away goes to', () => {
  it.each<[string, Arguments, Results, readonly string[] | string]>([
    ['the argument itself', { '[0].w': w }, { w: other, 'old.v': first }, ['[0].w <- old.v']],
    ['the argument itself, whichever of two', { '[0].w': w }, { a: first, c: first }, ['[0].w <- a']],
    [
      'themselves, where two arguments change places',
      { '[0]': w, '[1]': w },
      { '[0]': { of: (_, y) => y! }, '[1]': first },
      ['[0] <- [1]', '[1] <- [0]'],
    ],
    [
      'its path, wherever it begins',
      { '[0].params.w': w },
      { 'a.w': negated, 'state.params.w': other, v: negated },
      ['[0].params.w <- state.params.w'],
    ],
    ['its very path', { '[0].w': w }, { w: other, 'old.w': negated }, ['[0].w <- w']],
    [
      'its path and number, in a list of trees',
      { '[0].w': w, '[1].m.w': w, '[1].v.w': w },
      { '[0].w': other, '[1].m.w': other, '[1].v.w': other },
      ['[0].w <- [0].w', '[1].m.w <- [1].m.w', '[1].v.w <- [1].v.w'],
    ],
    [
      'the longer path first, whatever the order',
      { '[0].w': w, '[1].m.w': w, '[1].v.w': w },
      { 'b.m.w': other, 'b.v.w': other, 'c.w': other },
      ['[0].w <- c.w', '[1].m.w <- b.m.w', '[1].v.w <- b.v.w'],
    ],
    [
      'its place in a list',
      { '[0][0]': w, '[0][1]': w },
      { '[1]': other, '[0]': other },
      ['[0][0] <- [0]', '[0][1] <- [1]'],
    ],
    [
      'its number, where arguments and results are lists',
      { '[0]': w, '[1]': w },
      { '[0]': { of: (_, y) => b.neg([y!], {}) }, '[1]': negated },
      ['[0] <- [0]', '[1] <- [1]'],
    ],
    [
      'its last keys, the most of them',
      { '[0].p.a.w': w, '[0].p.b.w': w },
      { 'b.w': other, 'a.w': other, w: negated },
      ['[0].p.a.w <- a.w', '[0].p.b.w <- b.w'],
    ],
    ['no other number', { '[0]': w }, { 'a[0]': other, b: negated }, ['[0] <- b']],
    ['what is computed from it point by point', { '[0]': w }, { a: turned, b: negated }, ['[0] <- b']],
    [
      'a sum with what is computed from all of it',
      { '[0]': w },
      { a: turned, b: { of: (x) => b.sub([x!, turned.of!(x!)], {}) } },
      ['[0] <- b'],
    ],
    ['the only one of its type', { '[0]': w }, { a: turned, n: { type: f32(5, 3) } }, ['[0] <- a']],
    ['one argument only', { '[0]': w, '[1]': w }, { a: other }, ['[0] <- a']],
    [
      'each one, where only one way is left',
      { '[0]': w, '[1]': w },
      { a: { of: (x, y) => b.add([x!, y!], {}) }, c: negated },
      ['[0] <- c', '[1] <- a'],
    ],
    [
      'keys with dots in them are one key',
      { '[0]["a.w"]': w },
      { '["a.w"]': other, 'a.w': negated },
      ['[0]["a.w"] <- ["a.w"]'],
    ],
    [
      'names that only end alike do not agree',
      { '[0].bw': w, '[0].w': w },
      { w: other, bw: other },
      ['[0].bw <- bw', '[0].w <- w'],
    ],
    ['nothing of another shape', { '[0].w': w }, { w: { type: f32(5, 3) } }, []],
    ['nothing of another dtype', { '[0].w': i32(4) }, { w: { type: f32(4) } }, []],
    ['nothing of a shape to broadcast', { '[0].w': f32(1) }, { w: { type: f32() } }, []],
    [
      'neither of two computed from it',
      { '[0]': w },
      { a: negated, b: { of: (x) => b.exp([x!], {}) } },
      unclear('a', 'b', '[0]'),
    ],
    ['neither of two that have nothing of it', { '[0]': w }, { a: turned, b: other }, unclear('a', 'b', '[0]')],
    ['neither of two at its path', { '[0].w': w }, { 'a.w': turned, 'b.w': other }, unclear('a.w', 'b.w', '[0].w')],
    [
      'nobody, where two arguments could change two results',
      { '[0]': w, '[1]': w },
      { a: other, c: other },
      unclear('a', 'c', '[0]'),
    ],
  ])('%s', (_, args, results, expected) => {
    expect(matched(args, results)).toEqual(expected)
    // Nothing but ranks decides: in another order of results the same is found, where they are told apart at all.
    const nodes = new Set(Object.values(results))
    if (typeof expected === 'object' && nodes.size === Object.keys(results).length)
      expect(matched(args, Object.fromEntries(Object.entries(results).reverse()))).toEqual(expected)
  })

  it('an argument that is kept: never', () => {
    expect(matched({ '[0].w': w, '[1].w': w }, { w: other }, ['[0].w'])).toEqual(['[1].w <- w'])
  })

  it('all of a long list, soon', () => {
    const list = Array.from({ length: 400 }, (_, i) => `[0].l[${i}].w`)
    const args = Object.fromEntries(list.map((path) => [path, w]))
    const results = Object.fromEntries(list.map((path) => [path.replace('[0]', 'next'), other]))
    const start = performance.now()
    expect(matched(args, results)).toHaveLength(400)
    expect(performance.now() - start).toBeLessThan(5000)
  })
})

/** Pairs of paths of a plan, arguments first. */
const replaced = ({ inputs, outputs }: Plan): string[] =>
  outputs.flatMap(({ path, inPlaceOf }) => (inPlaceOf === undefined ? [] : [`${inputs[inPlaceOf]!.path} <- ${path}`]))

const compiled = (f: unknown, specs: unknown, donate: readonly number[]): Plan =>
  T.orThrow(T.compile(f as never, specs as never, { donate })).plan

describe('compile', () => {
  const both = (m: T.Tensor, x: T.Tensor): unknown => ({ activations: T.mul(m, x), weights: T.sub(m, x) })

  it('refuses to guess, with both paths and what to do', () => {
    const made = T.compile(both as never, [T.spec([4]), T.spec([4])], { donate: [0] })
    expect(E.isLeft(made) && showError(made.left)).toBe(
      `${unclear('activations', 'weights', '[0]')}\n  hint: give the argument and the result that replaces it the same key ((p: { w }) => ({ w: …, other: … })), or leave 0 out of donate`,
    )
  })

  it('takes the key', () => {
    const named = (m: { readonly weights: T.Tensor }, x: T.Tensor): unknown => both(m.weights, x)
    expect(replaced(compiled(named, [{ weights: T.spec([4]) }, T.spec([4])], [0]))).toEqual(['[0].weights <- weights'])
  })

  it('gives no place to what is only looked at', () => {
    const seen = (x: T.Tensor): T.Tensor => T.sum(T.debug(T.exp(x), 'exp')) as T.Tensor
    expect(replaced(compiled(seen, [T.spec([4])], [0]))).toEqual([])
    const step = (x: T.Tensor): T.Tensor => T.neg(T.debug(T.exp(x), 'exp'))
    expect(replaced(compiled(step, [T.spec([4])], [0]))).toEqual(['[0] <- '])
  })
})

describe('every leaf of a state finds its successor', () => {
  const specsOf = (tree: unknown): unknown => T.mapTree(tree, (x) => T.spec(x.shape, x.dtype))
  /** Of one type all, so that names alone tell them apart. */
  const params = {
    dense: [
      { b: T.ones([5]), w: T.ones([5]) },
      { b: T.ones([5]), w: T.ones([5]) },
    ],
    w: T.ones([5]),
  }
  const optimisers: Readonly<Record<string, optim.Optimiser>> = {
    sgd: optim.sgd(0.1),
    'sgd with momentum': optim.sgd(0.1, { momentum: 0.9, nesterov: true, weightDecay: 0.1 }),
    adam: optim.adam(0.1, { clipNorm: 1 }),
    amsgrad: optim.adam(0.1, { amsgrad: true }),
    adamw: optim.adamw(0.1),
    adagrad: optim.adagrad(0.1),
    rmsprop: optim.rmsprop(0.1, { momentum: 0.9, centered: true }),
    adadelta: optim.adadelta(0.1),
    'a chain': optim.optimiser(
      optim.centralise(),
      optim.trackMomentum({ momentum: 0.5 }),
      optim.scaleByAdam(),
      optim.scaleByRate(0.1),
    ),
  }

  it.each(Object.entries(optimisers))('%s', (_, o) => {
    const state = o.init(params)
    const leaves = T.flattenTree(params, T.isTensor).paths
    const more = T.flattenTree(state, T.isTensor).paths
    type P = typeof params
    const apart = compiled(
      (p: P, s: optim.OptimiserState, g: P) => o.update(p, g, s),
      [specsOf(params), specsOf(state), specsOf(params)],
      [0, 1],
    )
    expect(replaced(apart).sort()).toEqual(
      [...leaves.map((p) => `[0].${p} <- params.${p}`), ...more.map((p) => `[1].${p} <- state.${p}`)].sort(),
    )
    const together = compiled(
      (s: { readonly params: P; readonly optimiser: optim.OptimiserState }, g: P) => {
        const next = o.update(s.params, g, s.optimiser)
        return [{ params: next.params, optimiser: next.state }, T.sum(next.params.w)]
      },
      [{ params: specsOf(params), optimiser: specsOf(state) }, specsOf(params)],
      [0],
    )
    expect(replaced(together).sort()).toEqual(
      [...leaves.map((p) => `params.${p}`), ...more.map((p) => `optimiser.${p}`)]
        .map((p) => `[0].${p} <- [0].${p}`)
        .sort(),
    )
    const listed = compiled(
      (p: P, g: P, s: optim.OptimiserState) => {
        const next = o.update(p, g, s)
        return [next.params, next.state]
      },
      [specsOf(params), specsOf(params), specsOf(state)],
      [0, 2],
    )
    expect(replaced(listed).sort()).toEqual(
      [...leaves.map((p) => `[0].${p} <- [0].${p}`), ...more.map((p) => `[2].${p} <- [1].${p}`)].sort(),
    )
  })

  const givers = programs.filter((p) => p.options?.donate)
  it.each(givers.map((p) => [p.name, p] as const))('the scoreboard: %s', (_, { f, specs, options = {} }) => {
    const { plan } = T.orThrow(T.compile(f as never, specs as readonly unknown[], options))
    expect(replaced(plan)).toEqual(
      plan.inputs
        .filter((s) => s.donated)
        .map(({ path }) => {
          const inside = path.replace('[0].', '')
          return `${path} <- ${plan.outputs.find((s) => s.path.endsWith(inside))!.path}`
        }),
    )
  })
})
