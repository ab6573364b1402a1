/** What an IndexError says of the indices that would do. */

/** Functions whose negative indices count from the end; elsewhere they are out of range, as those of classes. */
const countFromEnd: ReadonlySet<string> = new Set(
  [
    'take',
    'takeAlongAxis',
    'gather',
    'scatter',
    'scatterAdd',
    'scatterMax',
    'scatterMin',
    'indexAdd',
    'atIndices',
    'setAtIndices',
  ].map((name) => `T.${name}`),
)

/** The hint for an index that leaves an axis of `size` in the function `op`. */
export const indexHint = (op: string, size: number): string => {
  if (size === 0) return 'the axis is empty'
  return countFromEnd.has(op)
    ? `indices of this axis go from ${-size} to ${size - 1}`
    : `indices of this axis go from 0 to ${size - 1}`
}
