/**
 * Which result takes the place of which argument that the caller gives away. Results of the argument's type rank by what
 * ties them to it: being the argument itself; standing at its path; ending in the same keys; being computed from it point by
 * point. The best ranks of all pairs are taken first, and where two results are equally near nothing is guessed.
 */
import * as E from '#fp/Either'
import { typeOf } from '../../src/lang/build.ts'
import type { UsageError } from '../../src/lang/errors.ts'
import type { Node, Op } from '../../src/lang/ir.ts'
import { ShapeEq } from '../../src/lang/shape.ts'
import { pathSteps } from '../../src/lang/tree.ts'
import { pointwiseOps } from '../graph/rules/match.ts'

export interface Leaf {
  readonly node: Node
  /** Where in the argument or result tree, e.g. `[0].params.w1`. */
  readonly path: string
}

export interface GivenLeaf extends Leaf {
  readonly donated: boolean
}

/** An argument and a result of its type, by number, and how near they are: compared from the first figure on. */
interface Pair {
  readonly input: number
  readonly output: number
  readonly rank: readonly number[]
}

/**
 * For each given-away argument the number of the result that replaces it, or nothing. UsageError where two different
 * results are equally near to one argument. Several arguments may be equally near to one result: the first gets it.
 */
export const matchDonations = (
  inputs: readonly GivenLeaf[],
  outputs: readonly Leaf[],
): E.Either<UsageError, ReadonlyMap<number, number>> => {
  const match = new Map<number, number>()
  const taken = new Set<number>()
  const isFree = ({ input, output }: Pair): boolean => !match.has(input) && !taken.has(output)
  const take = ({ input, output }: Pair): void => {
    match.set(input, output)
    taken.add(output)
  }
  for (const equal of byRank(pairsOf(inputs, outputs))) {
    for (let rest = equal.filter(isFree); rest.length > 0; rest = rest.filter(isFree)) {
      const choices = grouped(rest, (p) => p.input)
      // Arguments with one choice go first: what they take may leave one choice to others.
      const decided = choices.filter((c) => new Set(c.map((p) => outputs[p.output]!.node)).size === 1)
      const [first] = choices
      if (decided.length === 0) return E.left(undecided(inputs[first![0]!.input]!, first!, outputs))
      for (const [pair] of decided) if (isFree(pair!)) take(pair!)
    }
  }
  return E.right(match)
}

const grouped = <T, K>(all: readonly T[], keyOf: (x: T) => K): readonly (readonly T[])[] => {
  const groups = new Map<K, T[]>()
  for (const x of all) {
    const key = keyOf(x)
    const group = groups.get(key)
    if (group) group.push(x)
    else groups.set(key, [x])
  }
  return [...groups.values()]
}

const undecided = ({ path }: Leaf, choices: readonly Pair[], outputs: readonly Leaf[]): UsageError => {
  const [a, b] = [...new Set(choices.map((p) => outputs[p.output]!.path))]
  const [argument] = pathSteps(path)
  return {
    tag: 'UsageError',
    message: `compile: ${a} and ${b} are equally near to argument ${path}, which is donated: which of them takes its place is not clear`,
    hint: `give the argument and the result that replaces it the same key ((p: { w }) => ({ w: …, other: … })), or leave ${argument?.slice(1, -1)} out of donate`,
  }
}

const pairsOf = (inputs: readonly GivenLeaf[], outputs: readonly Leaf[]): readonly Pair[] => {
  const ends = outputs.map(({ path }) => pathSteps(path))
  const pointwise = pointwiseSources()
  return inputs.flatMap((given, input) => {
    if (!given.donated) return []
    const type = typeOf(given.node)
    const path = pathSteps(given.path)
    return outputs.flatMap(({ node }, output): readonly Pair[] => {
      const { dtype, shape } = typeOf(node)
      if (type.dtype !== dtype || !ShapeEq.equals(type.shape, shape)) return []
      const rank = [
        Number(node === given.node),
        ...pathRank(path, ends[output]!),
        Number(pointwise(node).has(given.node)),
      ]
      return [{ input, output, rank }]
    })
  })
}

/** Pairs of equal rank together, the best first. */
const byRank = (pairs: readonly Pair[]): readonly (readonly Pair[])[] =>
  [...grouped(pairs, (p) => p.rank.join())].sort(([a], [b]) => {
    const at = a!.rank.findIndex((x, i) => x !== b!.rank[i])
    return at < 0 ? 0 : b!.rank[at]! - a!.rank[at]!
  })

/**
 * Whether the argument's path, but for the argument's number, ends the result's; how many keys both end in; whether the
 * paths are equal, with the number (arguments and results are lists then) or without it.
 */
const pathRank = (argument: readonly string[], result: readonly string[]): readonly number[] => {
  const inside = argument.slice(1)
  const common = commonSuffix(inside, result)
  const equal = [argument, inside].some((p) => p.length === result.length && commonSuffix(p, result) === p.length)
  const covers = equal || (common > 0 && common === inside.length)
  return [Number(covers), common, Number(equal)]
}

const commonSuffix = (a: readonly string[], b: readonly string[]): number => {
  let n = 0
  while (n < a.length && n < b.length && a[a.length - 1 - n] === b[b.length - 1 - n]) n++
  return n
}

/** Element i of these is made of elements i of their operands, counted row by row. */
const elementByElement = new Set<Op>([...pointwiseOps, 'elementwise', 'reshape', 'stopGradient'])

/** What a node is computed from point by point, itself included; remembered. */
const pointwiseSources = (): ((n: Node) => ReadonlySet<Node>) => {
  const known = new Map<Node, ReadonlySet<Node>>()
  return (n) => {
    const before = known.get(n)
    if (before) return before
    const sources = new Set<Node>([n])
    for (const x of sources) {
      if (elementByElement.has(x.op)) for (const a of x.args) sources.add(a)
      else if (x.op === 'barrier') sources.add(x.args[0]!)
    }
    known.set(n, sources)
    return sources
  }
}
