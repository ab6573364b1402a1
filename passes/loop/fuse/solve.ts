/**
 * Solving a cluster: lowering it to the Loop IR, choosing its grid, pricing it. A structure is solved once; the solutions
 * are kept, bounded, for the whole process: the next block, batch size of equal parts or program finds them.
 */
import { typeOf } from '../../../src/lang/build.ts'
import { sizeOf } from '../../../src/lang/dim.ts'
import type { Node } from '../../../src/lang/ir.ts'
import { createRecent } from '../../../src/lang/recent.ts'
import type { Profile } from '../../profile.ts'
import { lowering, storeOf } from '../from-graph/lower-node.ts'
import { storeRanges } from '../from-graph/store-ranges.ts'
import type { Buffer, Cluster, Range, Store } from '../ir/cluster.ts'
import { addIndex, scaleIndex, valueIndex } from '../ir/index-expression.ts'
import { kernelTypeOf } from '../ir/kernel-type.ts'
import { createValues, valuesBelow, valuesOfIndex } from '../ir/values.ts'
import { type Cost, chooseGrid } from '../schedule/cost.ts'
import type { Schedule } from '../schedule/roles.ts'
import type { RowTargets } from './loop-kernels.ts'
import { type Structure, structureOf } from './structure.ts'

/** A structure in the Loop IR, over buffers of its own. */
export interface Solved {
  /** Distinct for distinct structures, and for what was forgotten and solved again. */
  readonly number: number
  readonly cluster: Cluster
  readonly schedule: Schedule
  readonly cost: Cost
  /** One a stored node, in order. */
  readonly stores: readonly Buffer[]
  /** One an operand of the structure, in order; what is not in `loaded` is never read. */
  readonly operands: readonly Buffer[]
  readonly loaded: ReadonlySet<Buffer>
}

/** How much was asked, and how much had to be worked out. */
export interface SolveCounts {
  asked: number
  solved: number
}

/** Gives the solution of the cluster that stores `own`, with the structure that it fills. */
export type Solve = (
  own: readonly Node[],
  isMember: (n: Node) => boolean,
  rows: RowTargets,
) => { readonly solved: Solved; readonly structure: Structure }

/** Solutions by profile and structure, bounded by the values in them: about a kilobyte each. */
const solutions = createRecent<string, Solved>(100_000)
let nextNumber = 0

/** Forgets every solution: what is asked next is worked out again. */
export const forgetSolutions = (): void => solutions.clear()

/** A solver for `profile`; `counts` is added to. */
export const solver = (profile: Profile, counts: SolveCounts): Solve => {
  const target = JSON.stringify(profile)
  return (own, isMember, rows) => {
    const structure = structureOf(own, isMember, (n) => rows.get(n))
    counts.asked++
    const key = `${target}${structure.key}`
    const known = solutions.get(key)
    if (known) return { solved: known, structure }
    counts.solved++
    const solved = solveStructure(own, structure, rows, profile)
    solutions.set(key, solved, solved.cost.statements + solved.operands.length + 8)
    return { solved, structure }
  }
}

const solveStructure = (
  own: readonly Node[],
  { operands, members }: Structure,
  rows: RowTargets,
  profile: Profile,
): Solved => {
  const buffers = new Map<Node, Buffer>()
  const bufferOf = (n: Node): Buffer => buffers.get(n)!
  for (const n of operands) {
    const { dtype, shape } = kernelTypeOf(n)
    buffers.set(n, { id: buffers.size, dtype, size: sizeOf(shape) })
  }
  const stores = own.map((n, i): Buffer => {
    const { dtype, shape } = kernelTypeOf(n)
    return { id: operands.length + i, dtype, size: sizeOf(shape) * (rows.get(n)?.length ?? 1) }
  })
  const inside = new Set(members)
  const values = createValues()
  const at = lowering(values, { isMember: (n) => inside.has(n), bufferOf })
  const ranges = storeRanges(own, members, values, at)
  const storeAt = (n: Node, buffer: Buffer, over: readonly Range[]): Store => {
    const whole = storeOf(at, n, buffer, over)
    const row = rows.get(n)
    if (!row) return whole
    const number = valueIndex(at(row.counter, 0, [], []), row.length)
    return { ...whole, index: addIndex(whole.index, scaleIndex(number, sizeOf(typeOf(n).shape))) }
  }
  const cluster: Cluster = { stores: own.map((n, i) => storeAt(n, stores[i]!, ranges[i]!)) }
  const loaded = new Set<Buffer>()
  const roots = cluster.stores.flatMap((s) => [s.value, ...valuesOfIndex(s.index)])
  for (const v of valuesBelow(roots)) if (v.kind === 'load') loaded.add(v.buffer)
  return {
    number: nextNumber++,
    cluster,
    stores,
    operands: operands.map(bufferOf),
    loaded,
    ...chooseGrid(cluster, profile),
  }
}
