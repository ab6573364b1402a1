/** Groups as they are first made: a cluster for stored nodes, or a routine in the place of one. */
import type { Graph, Node, NodeOf } from '../../../src/lang/ir.ts'
import type { Profile } from '../../profile.ts'
import { type AuthoredOp, isLoop, routineOutputs, scratchOf } from '../from-graph/routine-nodes.ts'
import type { Buffer } from '../ir/cluster.ts'
import type { KernelType } from '../ir/kernel-type.ts'
import { waitsOf } from './barrier-waits.ts'
import type { Fusion, Group } from './fusion.ts'
import { type BufferNumbers, loopKernels, type RowTargets } from './loop-kernels.ts'
import type { Solve } from './solve.ts'
import { isBufferLeaf } from './stored-nodes.ts'

/** The program that groups are made for. */
export interface Program {
  readonly profile: Profile
  readonly numbers: BufferNumbers
  readonly rows: RowTargets
  readonly constants: Map<Buffer, number>
  readonly solve: Solve
  readonly fuseTurn: (turn: Graph, rows: RowTargets) => Fusion
  readonly bufferOf: (n: Node) => Buffer
  readonly newBuffer: (type: KernelType) => Buffer
  /** Place in the graph's topological order: ids tell when a node was made, which must decide nothing. */
  readonly position: ReadonlyMap<Node, number>
  readonly hasBarriers: boolean
}

/** Makes groups, numbered in the order they are made. */
export interface GroupMaker {
  readonly cluster: (own: readonly Node[], stored: ReadonlySet<Node>) => Group
  /** All outputs of a routine are stored, whoever reads them. */
  readonly routine: (n: Node) => Group
}

export const groupMaker = (program: Program): GroupMaker => {
  const { profile, numbers, rows, constants, solve, fuseTurn, bufferOf, newBuffer, position } = program
  let nextId = 0
  const firstOf = (own: readonly Node[]): number => {
    let first = Number.POSITIVE_INFINITY
    for (const n of own) first = Math.min(first, position.get(n) ?? first)
    return first
  }
  return {
    cluster: (own, stored) => {
      const mine = new Set(own)
      const isStored = (n: Node): boolean => stored.has(n) || isBufferLeaf(n)
      const { solved, structure } = solve(own, (n) => mine.has(n) || !isStored(n), rows)
      return {
        id: nextId++,
        stored: own,
        reads: new Set(structure.operands.filter((_, i) => solved.loaded.has(solved.operands[i]!))),
        after: program.hasBarriers ? waitsOf(own, isStored) : new Set(),
        members: structure.members,
        operands: structure.operands,
        solved,
        cost: solved.cost,
        first: firstOf(own),
        isPartial: own.some((n) => rows.has(n)),
      }
    },
    routine: (n) => {
      const own = routineOutputs(n)
      const [inputs, outputs] = [n.args.map(bufferOf), own.map(bufferOf)]
      const loop = isLoop(n) ? loopKernels(n, inputs, outputs, { numbers, constants, bufferOf, fuseTurn }) : undefined
      return {
        id: nextId++,
        stored: own,
        reads: new Set([...n.args, ...(loop?.leaves ?? [])]),
        after: new Set(),
        members: [],
        operands: [],
        first: firstOf(own),
        cost: { flops: 0, bytes: 0, threads: 1, statements: 0, text: 0, seconds: profile.costs.dispatch },
        routine: {
          node: n,
          inputs,
          outputs,
          ...(loop
            ? { scratch: loop.scratch, loop: loop.kernels }
            : { scratch: scratchOf(n as NodeOf<AuthoredOp>, profile).map(newBuffer) }),
        },
      }
    },
  }
}
