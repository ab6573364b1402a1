/** The part of a function's result that is differentiated: all of it, or the first of two with `hasAux`. */
import { raise } from '../../src/lang/errors.ts'
import type { TreeShape } from '../../src/lang/tree.ts'
import type { Leaves } from './linear-map.ts'

const countLeaves = (shape: TreeShape): number => {
  if (typeof shape === 'number') return 1
  if ('empty' in shape) return 0
  const parts = 'list' in shape ? shape.list : Object.values(shape.record)
  return parts.reduce<number>((n, s) => n + countLeaves(s), 0)
}

/** The differentiated part with its leaves, the first ones; UsageError where there should be two parts and are not. */
export const headOf = (caller: string, result: Leaves, hasAux: boolean): Leaves => {
  if (!hasAux) return result
  const { shape } = result
  if (typeof shape === 'object' && 'list' in shape && shape.list.length === 2) {
    const head = shape.list[0]!
    const count = countLeaves(head)
    return {
      shape: head,
      leaves: result.leaves.slice(0, count),
      paths: result.paths.slice(0, count).map((p) => p.replace(/^\[0\]/, '')),
    }
  }
  return raise({
    tag: 'UsageError',
    message: `${caller}: the function must return [value, aux]`,
    hint: 'aux is any tree of tensors; leave hasAux out to differentiate all that is returned',
  })
}
