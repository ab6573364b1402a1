/** Indices of gather and scatter that are constants and out of range: found before anything runs. */
import * as E from '#fp/Either'
import { typeOf } from '../../src/lang/build.ts'
import type { IndexError } from '../../src/lang/errors.ts'
import { constantValue } from '../../src/lang/evaluate.ts'
import { indexHint } from '../../src/lang/index-hint.ts'
import type { Graph } from '../../src/lang/ir.ts'
import { callerOf, located } from '../../src/lang/provenance.ts'
import { positionOf } from '../../src/lang/shape.ts'
import { topological } from '../../src/lang/topological.ts'
import type { Pass } from '../pass.ts'

/** The first gather or scatter, in loops too, whose constant index leaves its axis. */
const wrongIndex = (graph: Graph): IndexError | undefined => {
  for (const n of topological(graph.outputs)) {
    if (n.op === 'scan' || n.op === 'while') {
      const inside = wrongIndex(n.params.body)
      if (inside) return inside
    }
    if (n.op !== 'gather' && n.op !== 'scatterAdd') continue
    const index = n.op === 'gather' ? n.args[1]! : n.args[0]!
    const size = n.op === 'gather' ? typeOf(n.args[0]!).shape[n.params.batch]! : n.params.size
    const value = constantValue(index)
    const at = value ? value.data.findIndex((x) => !(x >= 0 && x < size)) : -1
    if (!value || at < 0) continue
    const op = callerOf(n)
    const position = positionOf(at, value.shape)
    const error = { tag: 'IndexError', op, index: value.data[at]!, size, position, hint: indexHint(op, size) } as const
    return located<IndexError>(error, [n])
  }
  return undefined
}

/** The graph itself, or an IndexError for a constant index that leaves its axis. */
export const checkIndices: Pass<Graph, Graph, IndexError> = {
  name: 'check indices',
  run: (graph) => {
    const wrong = wrongIndex(graph)
    return wrong ? E.left(wrong) : E.right(graph)
  },
}
