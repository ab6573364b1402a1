/**
 * What depends on no argument and is costly, random weights that a program captures above all, is computed once, when the
 * program is planned, and not once a run. It is what `T.reference` makes of it.
 */
import * as E from '#fp/Either'
import { constant, typeOf, typesOf } from '../../src/lang/build.ts'
import { sizeOf } from '../../src/lang/dim.ts'
import { isFloat } from '../../src/lang/dtype.ts'
import { TensorloomError } from '../../src/lang/errors.ts'
import { evaluate } from '../../src/lang/evaluate.ts'
import type { Graph, Node, Op } from '../../src/lang/ir.ts'
import { roundTo } from '../../src/lang/scalar-functions.ts'
import { topological } from '../../src/lang/topological.ts'
import { dependents, substitute } from '../../src/lang/trace.ts'
import type { Pass } from '../pass.ts'

/** What a device computes where it is needed sooner than it would read it: these alone are no reason to keep a result. */
const cheap: readonly Op[] = [
  ...(['const', 'data', 'iota', 'cast', 'bitcast', 'select', 'neg', 'abs', 'not', 'add', 'sub', 'mul', 'div'] as const),
  ...(['rem', 'min', 'max', 'eq', 'lt', 'le', 'and', 'or', 'xor', 'shiftLeft', 'shiftRight', 'get'] as const),
  ...(['broadcast', 'reshape', 'permute', 'slice', 'pad', 'flip', 'concat', 'window'] as const),
]

/** What the interpreter takes too long for, or a user has written for the device: left where it is. */
const left: readonly Op[] = [
  ...(['scan', 'while', 'cond', 'customCall', 'customLinear', 'elementwise', 'kernel', 'observe', 'input'] as const),
  ...(['triangularSolve', 'cholesky', 'lu', 'qr', 'eigh', 'svd'] as const),
]

/** What makes much of little: its operand is kept instead. */
const spreading: readonly Op[] = ['broadcast', 'pad', 'reshape', 'permute']

const cheapOps: ReadonlySet<Op> = new Set(cheap)
const leftOps: ReadonlySet<Op> = new Set(left)
const spreadingOps: ReadonlySet<Op> = new Set(spreading)

/** Elements of one kept result, and elements that the interpreter computes for one program: about a second. */
const mostKept = 2 ** 20
const mostWork = 2 ** 25

const workOf = (n: Node): number => {
  const sizes = [...typesOf(n), ...n.args.map(typeOf)].map((t) => sizeOf(t.shape))
  return n.op === 'dot' ? sizes.reduce((a, b) => a * b) : Math.max(...sizes)
}

/** The largest nodes that no input reaches, their layout taken off, where the others use them. */
const frontier = ({ inputs, outputs }: Graph): readonly Node[] => {
  const own = dependents(outputs, inputs)
  const depends = new Set<Node>(own)
  const bare = (n: Node): Node => (spreadingOps.has(n.op) ? bare(n.args[0]!) : n)
  return [...new Set(own.flatMap((n) => n.args.filter((a) => !depends.has(a)).map(bare)))]
}

/** Small numbers are folded, by a later pass, which sees what else is there; it does not draw. */
const isFolded = (parts: readonly Node[]): boolean =>
  parts.every((p) => p.op !== 'threefry' && sizeOf(typeOf(p).shape) <= 64)

/** Their values as a device stores them; undefined where an index is out of range, which a later check reports. */
const evaluated = (outputs: readonly Node[]): readonly Node[] | undefined => {
  try {
    return evaluate({ inputs: [], outputs }, []).map(({ shape, dtype, data }) =>
      constant({ shape, dtype }, isFloat(dtype) ? Float32Array.from(data, roundTo(dtype)) : data),
    )
  } catch (error) {
    if (error instanceof TensorloomError) return undefined
    throw error
  }
}

/** Those of them that are worth it, as far as the interpreter's time goes. */
const kept = (nodes: readonly Node[]): readonly Node[] => {
  let spent = 0
  return nodes.filter((n) => {
    if (typesOf(n).length > 1 || sizeOf(typeOf(n).shape) > mostKept) return false
    const parts = topological([n])
    if (parts.every((p) => cheapOps.has(p.op)) || parts.some((p) => leftOps.has(p.op)) || isFolded(parts)) return false
    const work = parts.reduce((sum, p) => sum + workOf(p), 0)
    if (spent + work > mostWork) return false
    spent += work
    return true
  })
}

/** A program without arguments is run for its constants: it is left alone. */
export const evaluateConstants: Pass<Graph, Graph> = {
  name: 'evaluate constants',
  run: (graph) => {
    const nodes = graph.inputs.length === 0 ? [] : kept(frontier(graph))
    const constants = nodes.length === 0 ? undefined : evaluated(nodes)
    return E.right(constants ? { ...graph, outputs: substitute(graph.outputs, nodes, constants) } : graph)
  },
}
