/** Indices of gather and scatter that are constants and out of range: found before anything runs. */
import { typeOf } from './build.ts'
import type { IndexError } from './errors.ts'
import { constantValue } from './evaluate.ts'
import type { Graph } from './ir.ts'
import { located } from './provenance.ts'
import { positionOf } from './shape.ts'
import { topological } from './topological.ts'

/** One error per gather or scatter whose constant index leaves its axis, in loops too. */
export const constantIndexErrors = (graph: Graph): readonly IndexError[] =>
  topological(graph.outputs).flatMap((n): readonly IndexError[] => {
    if (n.op === 'scan' || n.op === 'while') return constantIndexErrors(n.params.body)
    if (n.op !== 'gather' && n.op !== 'scatterAdd') return []
    const index = n.op === 'gather' ? n.args[1]! : n.args[0]!
    const size = n.op === 'gather' ? typeOf(n.args[0]!).shape[n.params.batch]! : n.params.size
    const value = constantValue(index)
    const at = value ? value.data.findIndex((x) => !(x >= 0 && x < size)) : -1
    if (!value || at < 0) return []
    const position = positionOf(at, value.shape)
    const hint = `indices of this axis go from 0 to ${size - 1}`
    return [located({ tag: 'IndexError', op: n.op, index: value.data[at]!, size, position, hint }, [n])]
  })
