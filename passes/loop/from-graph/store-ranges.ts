/**
 * The choice of ranges for the stores of one cluster, so that they share as many loops as possible: one flat range
 * where all tensors have the same number of elements and nothing is reduced; else the axes of the largest tensor, to
 * which the others are matched.
 */
import { typeOf } from '../../../src/lang/build.ts'
import { sizeOf } from '../../../src/lang/dim.ts'
import type { Node } from '../../../src/lang/ir.ts'
import type { Buffer, Range } from '../ir/cluster.ts'
import { kernelTypeOf } from '../ir/kernel-type.ts'
import type { Values } from '../ir/values.ts'
import { type At, lowersToReduction, storeOf } from './lower-node.ts'

const maxMatches = 8

/** From this number of parts on, an axis has a range of its own, along which the parts can be told apart. */
const manyParts = 8

const joinsWithinRows = (n: Node): boolean => n.op === 'concat' && n.args.length >= manyParts && n.params.axis > 0

/** The ranges for each node's store; `members` are the nodes that the cluster computes. */
export const storeRanges = (
  nodes: readonly Node[],
  members: readonly Node[],
  values: Values,
  at: At['at'],
): readonly (readonly Range[])[] => {
  const sizes = nodes.map((n) => sizeOf(typeOf(n).shape))
  if (sizes.every((s) => s === sizes[0]) && !members.some((n) => lowersToReduction(n) || joinsWithinRows(n))) {
    const flat = values.ranges('store', [sizes[0]!])
    return nodes.map(() => flat)
  }
  const largest = sizes.indexOf(Math.max(...sizes))
  const main = values.ranges('store', typeOf(nodes[largest]!).shape)
  const scratch = (i: number): Buffer => ({ id: -1, dtype: kernelTypeOf(nodes[i]!).dtype, size: sizes[i]! })
  // The values of the largest store are emitted first, for the others to share.
  storeOf(at, nodes[largest]!, scratch(largest), main)
  return nodes.map((n, i) => {
    if (i === largest) return main
    const choices = matches(typeOf(n).shape, main, values)
    if (choices.length === 1) return choices[0]!
    // The choice that creates the fewest new values shares the most.
    let best = choices[0]!
    let fewest = Number.POSITIVE_INFINITY
    for (const choice of choices) {
      const before = values.count()
      storeOf(at, n, scratch(i), choice)
      const made = values.count() - before
      if (made < fewest) {
        best = choice
        fewest = made
      }
    }
    return best
  })
}

/** Ways to run `shape` over the ranges of `main` in order; fresh ranges for axes that `main` lacks. */
const matches = (shape: readonly number[], main: readonly Range[], values: Values): readonly (readonly Range[])[] => {
  const found: (readonly Range[])[] = []
  const walk = (axis: number, from: number, taken: readonly Range[]): void => {
    if (found.length >= maxMatches) return
    if (axis === shape.length) {
      found.push(taken)
      return
    }
    for (let i = from; i < main.length; i++) {
      if (main[i]!.size === shape[axis]) walk(axis + 1, i + 1, [...taken, main[i]!])
    }
  }
  walk(0, 0, [])
  return found.length > 0 ? found : [values.ranges('store', shape, new Set(main))]
}
