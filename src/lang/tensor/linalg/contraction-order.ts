/** In which order to contract the operands of a product over many: the fewest multiplications, or a greedy guess at them. */
import { productOf } from '../../dim.ts'

/** Labels of the axes of one operand. */
type Labels = readonly number[]

/** One contraction: the operands at two positions are taken out of the list, their product is appended to it. */
export type Step = readonly [first: number, second: number]

/** How many operands are searched in full (3ⁿ splits); beyond, pairs are chosen greedily. */
const searched = 8

const union = (a: Labels, b: Labels): Labels => [...new Set([...a, ...b])]

const product = (labels: Labels, sizes: ReadonlyMap<number, number>): number =>
  productOf(labels, (l) => sizes.get(l) ?? 1)

/** Steps from a binary tree of the operands, each step's product counted as PyTorch's and opt_einsum's paths do. */
type Tree = number | readonly [Tree, Tree]

const stepsOf = (tree: Tree, count: number): readonly Step[] => {
  const places: unknown[] = Array.from({ length: count }, (_, i) => i)
  const steps: Step[] = []
  const walk = (t: Tree): unknown => {
    if (typeof t === 'number') return t
    const made = [walk(t[0]), walk(t[1])].map((part) => places.indexOf(part)).sort((p, q) => p - q)
    const [first, second] = made as [number, number]
    places.splice(second, 1)
    places.splice(first, 1)
    places.push(t)
    steps.push([first, second])
    return t
  }
  walk(tree)
  return steps
}

interface Best {
  readonly cost: number
  readonly tree: Tree
}

/** Every split of every subset of the operands, each subset solved once (Bellman's principle). */
const optimal = (kept: (subset: number) => Labels, count: number, sizes: ReadonlyMap<number, number>): Tree => {
  const labels = Array.from({ length: 2 ** count }, (_, subset) => kept(subset))
  const best: Best[] = []
  for (let subset = 1; subset < 2 ** count; subset++) {
    const lowest = subset & -subset
    if (subset === lowest) {
      best[subset] = { cost: 0, tree: Math.log2(subset) }
      continue
    }
    let found: Best | undefined
    // Splits into two parts, the one with the lowest operand first: the whole without it down to the least.
    for (let other = (subset - 1) & subset; other > 0; other = (other - 1) & subset) {
      if (other & lowest) continue
      const [left, right] = [best[subset ^ other]!, best[other]!]
      const cost = left.cost + right.cost + product(union(labels[subset ^ other]!, labels[other]!), sizes)
      if (found === undefined || cost < found.cost) found = { cost, tree: [left.tree, right.tree] }
    }
    best[subset] = found!
  }
  return best[2 ** count - 1]!.tree
}

/** The pair whose product is least in size beyond its operands, over and over. */
const greedy = (inputs: readonly Labels[], out: Labels, sizes: ReadonlyMap<number, number>): readonly Step[] => {
  const terms = [...inputs]
  const steps: Step[] = []
  while (terms.length > 1) {
    let found: { readonly gain: number; readonly step: Step; readonly labels: Labels } | undefined
    for (let i = 0; i < terms.length; i++)
      for (let j = i + 1; j < terms.length; j++) {
        const others = terms.filter((_, k) => k !== i && k !== j)
        const labels = union(terms[i]!, terms[j]!).filter((l) => out.includes(l) || others.some((t) => t.includes(l)))
        const gain = product(labels, sizes) - product(terms[i]!, sizes) - product(terms[j]!, sizes)
        if (found === undefined || gain < found.gain) found = { gain, step: [i, j], labels }
      }
    const { step, labels } = found!
    terms.splice(step[1], 1)
    terms.splice(step[0], 1)
    terms.push(labels)
    steps.push(step)
  }
  return steps
}

/**
 * The order of contraction of operands with those labels into `out`, as pairs of positions in the list that shrinks (as
 * opt_einsum's paths): with the fewest multiplications for up to 8 operands, greedy beyond.
 */
export const contractionOrder = (
  inputs: readonly Labels[],
  out: Labels,
  sizes: ReadonlyMap<number, number>,
): readonly Step[] => {
  const count = inputs.length
  if (count > searched) return greedy(inputs, out, sizes)
  const kept = (subset: number): Labels => {
    const inside = inputs.filter((_, i) => subset & (1 << i)).flat()
    const outside = inputs.filter((_, i) => !(subset & (1 << i))).flat()
    return [...new Set(inside)].filter((l) => out.includes(l) || outside.includes(l))
  }
  return count < 2 ? [] : stepsOf(optimal(kept, count, sizes), count)
}
