/** Negative indices, which count from the end of an axis. */
import { build, typeOf } from '../../build.ts'
import { isUnsigned } from '../../dtype.ts'
import { constantValue } from '../../evaluate.ts'
import type { Node, Op } from '../../ir.ts'
import { binaryNode, likeNode, selectNode } from '../math/arithmetic.ts'

/** Operations whose elements are elements of their operands, or totals of them. */
const keeping: ReadonlySet<Op> = new Set<Op>(['reshape', 'permute', 'broadcast', 'slice', 'flip', 'concat', 'reduce'])

/** Operations of which the second result is a position. */
const positioned: ReadonlySet<Op> = new Set<Op>(['sort', 'reduce', 'cumulate'])

/** What must not be negative either, so that `n` is not; undefined where it may be, or nobody knows. */
const restsOn = (n: Node): readonly Node[] | undefined => {
  if (n.op === 'iota' || (n.op === 'get' && n.params.index === 1 && positioned.has(n.args[0]!.op))) return []
  if (n.op === 'cast') return isUnsigned(typeOf(n.args[0]!).dtype) ? [] : n.args
  if (n.op === 'gather') return [n.args[0]!]
  return keeping.has(n.op) ? n.args : undefined
}

/** How far one looks. */
const glance = 32

/** Whether no element can be negative, as far as that is seen at a glance. */
const isNeverNegative = (n: Node): boolean => {
  const open: Node[] = [n]
  for (let seen = 0; open.length > 0; seen++) {
    const below = seen < glance ? restsOn(open.pop()!) : undefined
    if (!below) return false
    open.push(...below)
  }
  return true
}

/**
 * The index (i32), negative ones counted from the end of an axis of `size`. What lies before its start stays as it is, to be
 * reported as what the user wrote. Nothing is computed where none can be negative; what is constant is folded later, as the size
 * may have a name.
 */
export const fromEnd = (index: Node, size: number): Node => {
  if (isNeverNegative(index) || constantValue(index)?.data.every((i) => i >= 0)) return index
  const type = typeOf(index)
  const counted = binaryNode('add', index, likeNode(size, type))
  // One comparison for both ends: what is no position has a word past all of them.
  const isPosition = binaryNode(
    'lt',
    build.bitcast([counted], { dtype: 'u32' }),
    likeNode(size, { ...type, dtype: 'u32' }),
  )
  return selectNode(isPosition, counted, index)
}
