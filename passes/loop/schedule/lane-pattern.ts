/** How indices and bounds vary over the four lanes of a vector range: what one access can move. */
import type { Atom, Bound, Index, Range } from '../ir/cluster.ts'
import { addIndex, constantIndex, rangeIndex, scaleIndex, substituteIndex } from '../ir/index-expression.ts'

/** How an index varies over the lanes of a vector range. */
export type LanePattern = 'uniform' | 'aligned' | 'contiguous' | 'strided'

/** Whether an index contains a data-dependent atom that varies with `range`: its access pattern is unknown. */
const isComputedOver = (index: Index, range: Range): boolean =>
  index.terms.some(({ atom }) =>
    atom.kind === 'value' ? atom.value.ranges.has(range) : atom.kind !== 'range' && isComputedOver(atom.of, range),
  )

/** The pattern of an index that holds the range by itself or not at all: its coefficient says it. */
const plainPattern = (index: Index, range: Range): LanePattern | undefined => {
  let step = 0
  let isWhole = index.constant % 4 === 0 && range.size % 4 === 0
  for (const { atom, coefficient } of index.terms) {
    if (atom.kind === 'range' && atom.range === range) step = coefficient
    else if (atom.kind === 'range' || !dependsOn(atom, range)) isWhole &&= coefficient % 4 === 0
    else return undefined
  }
  if (step === 0) return 'uniform'
  return step !== 1 ? 'strided' : isWhole ? 'aligned' : 'contiguous'
}

const dependsOn = (atom: Atom, range: Range): boolean => {
  if (atom.kind === 'range') return atom.range === range
  if (atom.kind === 'value') return atom.value.ranges.has(range)
  return atom.of.terms.some((t) => dependsOn(t.atom, range))
}

export const lanePattern = (index: Index, range: Range): LanePattern => {
  const plain = plainPattern(index, range)
  if (plain) return plain
  if (isComputedOver(index, range)) return 'strided'
  // The last vector of a range that 4 does not divide is moved back: vectors begin anywhere.
  const isWhole = range.size % 4 === 0
  const steps: Range = { id: -1, size: Math.max(1, isWhole ? range.size / 4 : range.size - 3) }
  const first4 = isWhole ? scaleIndex(rangeIndex(steps), 4) : rangeIndex(steps)
  const lanes = [0, 1, 2, 3].map((l) =>
    substituteIndex(index, (r) => (r === range ? addIndex(first4, constantIndex(l)) : undefined)),
  )
  const [first] = lanes
  if (lanes.every((x) => x.key === first!.key)) return 'uniform'
  const consecutive = lanes.every((x, l) => addIndex(first!, constantIndex(l)).key === x.key)
  if (!consecutive) return 'strided'
  return isWhole && isMultipleOf4(first!) ? 'aligned' : 'contiguous'
}

export const isMultipleOf4 = (a: Index): boolean =>
  a.constant % 4 === 0 && a.terms.every((t) => t.coefficient % 4 === 0)

/** Whether a bound holds for all four lanes or for none: all vary alike, or in whole vectors between multiples of four. */
export const isUniformBound = ({ index, low, high }: Bound, range: Range): boolean => {
  const pattern = lanePattern(index, range)
  return pattern === 'uniform' || (pattern === 'aligned' && low % 4 === 0 && high % 4 === 0)
}

/** Whether elements at neighbouring points of a range are neighbours in memory. */
export const isBeside = (index: Index, range: Range): boolean => {
  const pattern = lanePattern(index, range)
  return pattern === 'aligned' || pattern === 'contiguous'
}
