/** Masks, frozen parts, groups and rates by path: who moves, who has state, and what errors say of paths. */
import { describe, expect, it, test } from 'vitest'
import * as T from '../../src/index.ts'
import * as optim from '../../src/optim/index.ts'

type X = T.Tensor
const vector = (...xs: readonly number[]): X => T.tensor(xs as number[], { dtype: 'f32' }) as X

interface Params {
  readonly blocks: readonly { readonly weight: X; readonly bias: X | null }[]
  readonly head: { readonly weight: X }
}
const params: Params = {
  blocks: [
    { weight: T.ones([2, 2]) as X, bias: vector(1, 1) },
    { weight: T.ones([2, 2]) as X, bias: null },
  ],
  head: { weight: T.ones([2, 1]) as X },
}
const grads = T.mapTree(params, (p) => T.mul(T.ones(p.shape), 2)) as unknown as Params

/** The first number of each parameter by its path. */
const firsts = (tree: unknown): Readonly<Record<string, number>> => {
  const { leaves, paths } = T.flattenTree<X>(tree, T.isTensor)
  return Object.fromEntries(paths.map((p, i) => [p, (T.reference(leaves[i]!) as T.HostTensor).data[0]!]))
}
const pathsOf = (tree: unknown): readonly string[] => T.flattenTree<X>(tree, T.isTensor).paths
const once = (o: optim.Optimiser): Readonly<Record<string, number>> =>
  firsts(o.update(params, grads, o.init(params)).params)
const still = { 'blocks[0].weight': 1, 'blocks[0].bias': 1, 'blocks[1].weight': 1, 'head.weight': 1 }

describe('masked', () => {
  const masks: readonly (readonly [string, optim.Mask])[] = [
    [
      'a tree',
      {
        blocks: [
          { weight: true, bias: false },
          { weight: false, bias: null },
        ],
        head: { weight: false },
      },
    ],
    ['a tree of whole parts', { blocks: [{ weight: true, bias: false }, false], head: false }],
    ['a function of path and parameter', (path, p) => path.startsWith('blocks[0]') && p.shape.length === 2],
    ['prefixes', optim.byPath({ 'blocks[0]': true, 'blocks[0].bias': false }, false)],
  ]
  it.each(masks)('takes %s', (_, mask) => {
    const o = optim.masked(optim.sgd(0.25), mask)
    expect(once(o)).toEqual({ ...still, 'blocks[0].weight': 0.5 })
    const [updates] = o.updates(grads, o.init(params), params)
    expect(firsts(updates)).toEqual({
      'blocks[0].weight': -0.5,
      'blocks[0].bias': 0,
      'blocks[1].weight': 0,
      'head.weight': 0,
    })
  })

  it('keeps no state for what it excludes, and the same structure from step to step', () => {
    const o = optim.masked(optim.adam(), { blocks: false, head: true })
    const first = o.init(params)
    expect(pathsOf(first)).toEqual(['stages[0].m.head.weight', 'stages[0].v.head.weight', 'step'])
    expect(pathsOf(o.update(params, grads, first).state)).toEqual(pathsOf(first))
  })

  it('of a stage hands on the updates of what it excludes', () => {
    const stage = optim.masked(optim.scaleByRate(0.25), optim.byPath({ head: true }, false))
    const [updates] = stage.apply(grads, stage.init(params), params, T.tensor(0) as X)
    expect(firsts(updates)).toEqual({
      'blocks[0].weight': 2,
      'blocks[0].bias': 2,
      'blocks[1].weight': 2,
      'head.weight': -0.5,
    })
  })

  it('true of all or of none is for all or none', () => {
    expect(once(optim.masked(optim.sgd(0.25), true))).toEqual(once(optim.sgd(0.25)))
    expect(once(optim.masked(optim.sgd(0.25), false))).toEqual(still)
    const one = vector(1)
    const o = optim.masked(optim.adam(), false)
    expect(firsts(o.update(one, one, o.init(one)).params)).toEqual({ '': 1 })
  })
})

test('weights decay where the mask of decay says', () => {
  const byRank: optim.Mask = (_, p) => p.shape.length > 1
  const zero = T.mapTree(params, (p) => T.zerosLike(p)) as unknown as Params
  for (const o of [
    optim.adamw(0.5, { weightDecay: 0.5, decayMask: byRank }),
    optim.sgd(0.5, { weightDecay: 0.5, decayMask: byRank }),
    optim.lion(0.5, { weightDecay: 0.5, decayMask: byRank, beta1: 0 }),
  ]) {
    const next = firsts(o.update(params, zero, o.init(params)).params)
    expect(next['blocks[0].bias']).toBe(1)
    expect(next['blocks[0].weight']).toBe(0.75)
  }
  // LAMB's step is as long as the parameter: rate · p of decay alone.
  const lamb = optim.lamb(0.5, { weightDecay: 0.5, decayMask: byRank })
  const moved = firsts(lamb.update(params, zero, lamb.init(params)).params)
  expect([moved['blocks[0].bias'], moved['head.weight']]).toEqual([1, expect.closeTo(0.5, 6)])
})

describe('freeze', () => {
  it('leaves what the mask is true of, to the bit, also what is no float', () => {
    const tree = { table: T.tensor([1, 2]) as X, nan: vector(Number.NaN, -0), w: vector(1) }
    const integer = { ...tree, table: T.cast(tree.table, 'i32') as X }
    const o = optim.freeze(optim.adam(0.25), optim.byPath({ w: false }, true))
    const next = o.update(integer, integer, o.init(integer))
    expect(next.params.table).toBe(integer.table)
    expect(next.params.nan).toBe(integer.nan)
    expect(firsts(next.params)['w']).toBeCloseTo(0.75, 6)
    expect(pathsOf(next.state)).toEqual(['stages[0].m.w', 'stages[0].v.w', 'step'])
  })
})

describe('groups', () => {
  const members = { slow: optim.sgd(0.25), fast: optim.adam(0.5), still: optim.frozen() }
  it.each<[string, optim.PerLeaf<string>]>([
    ['a tree of names', { blocks: ['slow', 'still'], head: { weight: 'fast' } }],
    ['prefixes', optim.byPath({ head: 'fast', 'blocks[1]': 'still' }, 'slow')],
    ['a function', (path) => (path.startsWith('head') ? 'fast' : path.startsWith('blocks[1]') ? 'still' : 'slow')],
  ])('by %s', (_, by) => {
    const o = optim.groups(members, by)
    const next = once(o)
    expect(next).toEqual({
      'blocks[0].weight': 0.5,
      'blocks[0].bias': 0.5,
      'blocks[1].weight': 1,
      'head.weight': expect.closeTo(0.5, 6),
    })
    const state = o.init(params)
    expect(pathsOf(state).filter((p) => /blocks|head/.test(p))).toEqual([
      'stages.fast.stages[0].m.head.weight',
      'stages.fast.stages[0].v.head.weight',
    ])
    expect(pathsOf(o.update(params, grads, state).state)).toEqual(pathsOf(state))
  })

  it('steps as each optimiser would alone, its norm that of its group', () => {
    const clipped = optim.sgd(1, { clipNorm: 1, momentum: 0.5 })
    const o = optim.groups({ a: clipped, b: clipped }, { blocks: 'a', head: 'b' })
    const alone = (part: unknown, g: unknown): Readonly<Record<string, number>> => {
      const first = clipped.update(part, g, clipped.init(part))
      return firsts(clipped.update(first.params, g, first.state).params)
    }
    const first = o.update(params, grads, o.init(params))
    const both = firsts(o.update(first.params, grads, first.state).params)
    expect(both['head.weight']).toBe(alone(params.head, grads.head)['weight'])
    expect(both['blocks[1].weight']).toBe(alone(params.blocks, grads.blocks)['[1].weight'])
  })

  it('of stages are a stage', () => {
    const stage = optim.groups({ a: optim.clipByGlobalNorm(1), b: optim.scaleByRate(-3) }, { blocks: 'a', head: 'b' })
    const [updates] = stage.apply(grads, stage.init(params), params, T.tensor(0) as X)
    // Ten elements of 2 have the norm 2√10.
    expect(firsts(updates)).toEqual({
      'blocks[0].weight': expect.closeTo(1 / Math.sqrt(10), 6),
      'blocks[0].bias': expect.closeTo(1 / Math.sqrt(10), 6),
      'blocks[1].weight': expect.closeTo(1 / Math.sqrt(10), 6),
      'head.weight': 6,
    })
  })
})

test('rates by path', () => {
  const factors = { blocks: [0.5, { weight: 2 }], head: 1 }
  const want = { 'blocks[0].weight': 0.75, 'blocks[0].bias': 0.75, 'blocks[1].weight': 0, 'head.weight': 0.5 }
  expect(once(optim.scaleRates(optim.sgd(0.25), factors))).toEqual(want)
  expect(once(optim.optimiser(optim.scaleByRate(0.25), optim.scaleByFactors(factors)))).toEqual(want)
})

describe('a prefix', () => {
  const chosen = optim.byPath({ block: 1, 'blocks[1]': 2, 'a["b c"]': 3, 'a["b c"].d': 4 }, 0)
  it.each([
    ['block', 1],
    ['block.weight', 1],
    ['block[0]', 1],
    ['blocks[0]', 0],
    ['blocks[1].weight', 2],
    ['blocks[10]', 0],
    ['a["b c"]', 3],
    ['a["b c"].d[0]', 4],
    ['', 0],
  ])('is one of whole steps: %s', (path, want) => {
    expect(chosen(path)).toBe(want)
  })
  it('of nothing is one of all', () => {
    expect(optim.byPath({ '': true }, false)('blocks[0]')).toBe(true)
  })
})

describe('what does not fit the parameters is named by its path', () => {
  const kinds =
    'give true or false for every parameter or whole part of the tree, or a function: (path, parameter) => true'
  it.each<[string, () => unknown, string, string]>([
    [
      'nothing for a part',
      () => optim.masked(optim.adam(), { blocks: [true], head: {} }).init(params),
      'optim.masked: the mask has nothing for blocks[1].weight, head.weight',
      kinds,
    ],
    [
      'one too many',
      () => optim.freeze(optim.adam(), { blocks: [true, true, true], head: true, tail: false }).init(params),
      'optim.freeze: the mask has blocks[2], tail, where there is no parameter',
      kinds,
    ],
    [
      'something else',
      () => optim.adamw(0.1, { decayMask: { blocks: 1, head: [true] } as never }).init(params),
      'optim.adamw: the decayMask has not true or false at blocks (1), head (an array)',
      kinds,
    ],
    [
      'a path that is not there',
      () => optim.masked(optim.adam(), optim.byPath({ 'blocks[2]': true }, false)).init(params),
      'optim.masked: no parameter is at blocks[2], which the mask names',
      'the parameters are blocks[0].bias, blocks[0].weight, blocks[1].weight, head.weight',
    ],
    [
      'a group that is none',
      () => optim.groups({ a: optim.adam(), b: optim.sgd(1) }, (p) => (p === 'head.weight' ? 'c' : 'a')).init(params),
      "optim.groups: the grouping has not one of 'a', 'b' at head.weight ('c')",
      "give one of 'a', 'b' for every parameter or whole part of the tree, or a function: (path, parameter) => 'a'",
    ],
    [
      'a factor that is none',
      () => {
        const o = optim.scaleRates(optim.sgd(1), { blocks: Number.NaN, head: 1 })
        return o.update(params, grads, o.init(params))
      },
      'optim.scaleRates: the table of factors has not a finite number at blocks (NaN)',
      'give a finite number for every parameter or whole part of the tree, or a function: (path, parameter) => 0.1',
    ],
    [
      'a gradient of another shape',
      () => {
        const o = optim.masked(optim.sgd(1), true)
        return o.update({ w: vector(1) }, { w: vector(1, 2) }, o.init({ w: vector(1) }))
      },
      'optimiser: the gradient of w is f32[2], the parameter f32[1]',
      'give T.grad of a loss of these parameters, in the order update(params, grads, state)',
    ],
  ])('%s', (_, call, message, hint) => {
    expect(call).toThrow(new T.TensorloomError({ tag: 'UsageError', message, hint }))
  })
})
