/** Shape check: all independent errors of a program, reported together. */
import * as E from '#fp/Either'
import { isPoisoned } from '../../src/lang/build.ts'
import type { CheckError, ShapeError } from '../../src/lang/errors.ts'
import type { Graph } from '../../src/lang/ir.ts'
import { topological } from '../../src/lang/topological.ts'
import type { Pass } from '../pass.ts'

/**
 * The type errors reachable from the graph's outputs, in the order in which they were made. A node that is ill-typed
 * only because an operand is reports nothing; an error that every result of one call repeats is reported once, in each named part
 * of a model that it is in.
 */
export const errorsOf = (graph: Graph): readonly ShapeError[] => {
  const found = topological(graph.outputs)
    .filter((n) => E.isLeft(n.type) && !isPoisoned(n))
    .toSorted((a, b) => a.id - b.id)
    .flatMap((n) => (E.isLeft(n.type) ? [n.type.left] : []))
  const said = new Set<string>()
  return found.filter(({ op, reason, site }) => {
    if (!site) return true
    const key = `${op} ${reason} ${site.file}:${site.line}:${site.column} ${site.scope ?? ''}`
    const isNew = !said.has(key)
    said.add(key)
    return isNew
  })
}

/** The graph itself when all its nodes are well-typed, else a CheckError with all errors. Linear in the graph. */
export const check: Pass<Graph, Graph, CheckError> = {
  name: 'check',
  run: (graph) => {
    const errors = errorsOf(graph)
    return errors.length === 0 ? E.right(graph) : E.left({ tag: 'CheckError', errors })
  },
}
