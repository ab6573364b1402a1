/**
 * Constant folding: nodes whose operands are small constants are evaluated at compile time, by the reference
 * interpreter.
 */
import * as E from '#fp/Either'
import { build, typeOf } from '../../src/lang/build.ts'
import { sizeOf } from '../../src/lang/dim.ts'
import { type HostArray, isFloat } from '../../src/lang/dtype.ts'
import { TensorloomError } from '../../src/lang/errors.ts'
import { constantValue, evaluateRow } from '../../src/lang/evaluate.ts'
import type { Graph, Node, Op, TensorType } from '../../src/lang/ir.ts'
import type { Value } from '../../src/lang/primitive.ts'
import { roundTo } from '../../src/lang/scalar-functions.ts'
import type { Pass } from '../pass.ts'
import { type Rule, rewrite, rule } from '../rewrite.ts'
import { pointwiseOps } from './rules/match.ts'

/**
 * Folding neither produces nor reads constants larger than this: they would be buffers, which cost more than
 * recomputation.
 */
const foldLimit = 64

/**
 * Every operation with operands, except `broadcast`: a broadcast constant is already the compact form of its result.
 */
const foldable: readonly Op[] = [
  ...pointwiseOps,
  'reshape',
  'permute',
  'slice',
  'pad',
  'flip',
  'concat',
  'window',
  'fold',
  'reduce',
  'dot',
  'gather',
  'scatterAdd',
]

const fits = (t: TensorType): boolean => sizeOf(t.shape) <= foldLimit

/**
 * The node's outputs as the interpreter computes them; undefined where an index is out of range, which a later check
 * reports.
 */
const evaluated = (n: Node, xs: readonly Value[]): readonly HostArray[] | undefined => {
  if (E.isLeft(n.type)) return undefined
  try {
    return evaluateRow(n.op, xs, n.params, n.type.right)
  } catch (error) {
    if (error instanceof TensorloomError) return undefined
    throw error
  }
}

/** An array as device memory holds it: floats are rounded to their dtype. */
const rounded = ({ dtype }: TensorType, array: HostArray): HostArray =>
  isFloat(dtype) ? Float64Array.from(array, roundTo(dtype)) : array

const operandsOf = (n: Node): readonly Value[] | undefined => {
  const found: Value[] = []
  for (const a of n.args) {
    const v = constantValue(a, foldLimit)
    if (v === undefined || !fits(v)) return undefined
    found.push({ ...v, data: rounded(v, v.data) })
  }
  return found
}

const constantOf = ({ shape, dtype }: TensorType, array: HostArray): Node =>
  build.const([], { shape, dtype, values: Array.from(rounded({ shape, dtype }, array)) })

/** f(constants) = constant. */
export const foldConstants: Rule = rule('foldConstants', foldable, (n) => {
  if (n.args.length === 0 || E.isLeft(n.type) || n.type.right.length > 1 || !fits(typeOf(n))) return undefined
  const xs = operandsOf(n)
  const found = xs && evaluated(n, xs)
  return found && constantOf(typeOf(n), found[0]!)
})

/** The same for one output of a multi-output operation. */
export const foldOutput: Rule = rule('foldOutput', ['get'], (n) => {
  const source = n.args[0]!
  if (source.args.length === 0 || !fits(typeOf(n))) return undefined
  const xs = operandsOf(source)
  const found = xs && evaluated(source, xs)
  return found && constantOf(typeOf(n), found[n.params.index]!)
})

/**
 * A constant whose elements are all equal becomes a broadcast scalar: the form that other rules match and kernels
 * inline.
 */
export const splatConstant: Rule = rule('splatConstant', ['const'], ({ params: { shape, dtype, values } }, b) => {
  const first = values[0]
  if (first === undefined || values.length < 2 || !values.every((v) => Object.is(v, first))) return undefined
  const scalar = b.const([], { shape: [], dtype, values: [first] })
  return b.broadcast([scalar], { shape, axes: shape.map((_, i) => i) })
})

/** All rules, in the order in which they are tried. */
export const foldRules: readonly Rule[] = [foldConstants, foldOutput, splatConstant]

/** Constant folding as a pass of its own. Idempotent. */
export const fold: Pass<Graph, Graph> = {
  name: 'fold',
  run: (graph) => E.right(rewrite(foldRules)(graph)),
}
