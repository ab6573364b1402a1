/** The rule for named sizes of every primitive. Total: a missing rule is a compile error. */
import * as E from '#fp/Either'
import { invariant } from '../../../src/lang/errors.ts'
import { type BinaryOp, binaryOps, type Op, type ParamsOf, type UnaryOp, unaryOps } from '../../../src/lang/ir.ts'
import { gather, scatterAdd } from './index-rules.ts'
import { scan, whileLoop } from './loop-rules.ts'
import { concat, constant, flip, pad, reshape, slice } from './movement-rules.ts'
import { cumulate, dot, fold, reduce } from './reduction-rules.ts'
import { asItIs, knownAlong, needsSize, type SizeRule, unknownAxes } from './size-rule.ts'

/** A rule, and the parameters that may differ between trials: the rule, or the shape of the results, says what they are. */
interface Row<K extends Op> {
  readonly rule: SizeRule<K>
  readonly sized: readonly (keyof ParamsOf[K])[]
}

const row = <K extends Op>(rule: SizeRule<K>, ...sized: (keyof ParamsOf[K])[]): Row<K> => ({ rule, sized })

const plain = row(asItIs)

/** An operation on matrices, whose own sizes must be known. */
const matrices = <K extends Op>(what: string): Row<K> =>
  row((c) => {
    const rank = c.sizes[0]!.length
    const axis = c.sizes.flatMap((s) => unknownAxes(s)).find((a) => a >= rank - 2)
    return axis === undefined ? asItIs(c) : needsSize(`${what} needs its whole matrix`, axis)
  })

/** What the passes before have removed. */
const gone = <K extends Op>(op: string): Row<K> =>
  row(() => {
    invariant(false, `${op} among named sizes`)
    return E.right([])
  })

const unary = Object.fromEntries(unaryOps.map((op) => [op, plain])) as unknown as { [K in UnaryOp]: Row<K> }
const binary = Object.fromEntries(binaryOps.map((op) => [op, plain])) as unknown as { [K in BinaryOp]: Row<K> }

export const sizeRules: { readonly [K in Op]: Row<K> } = {
  ...unary,
  ...binary,
  select: plain,
  cast: plain,
  bitcast: plain,
  elementwise: plain,
  threefry: plain,
  stopGradient: plain,
  barrier: plain,
  input: gone('an input'),
  const: row(constant, 'values'),
  data: row(asItIs, 'payload'),
  iota: row(asItIs, 'shape'),
  reshape: row(reshape, 'shape'),
  permute: plain,
  broadcast: row(asItIs, 'shape'),
  slice: row(slice, 'start', 'stop'),
  pad: row(pad, 'low', 'high'),
  flip: row(flip),
  concat: row(concat),
  window: row(asItIs, 'size'),
  fold: row(fold, 'n'),
  reduce: row(reduce),
  cumulate: row(cumulate),
  sort: row(knownAlong('elements are sorted along', (c) => [c.params.axis])),
  dot: row(dot),
  gather: row(gather),
  scatterAdd: row(scatterAdd, 'size'),
  triangularSolve: matrices('triangularSolve'),
  cholesky: matrices('cholesky'),
  lu: matrices('lu'),
  qr: matrices('qr'),
  eigh: matrices('eigh'),
  svd: matrices('svd'),
  kernel: row((c) =>
    [...c.sizes, ...c.results].some((s) => unknownAxes(s).length > 0)
      ? needsSize('a kernel of your own is for operands of known shapes')
      : asItIs(c),
  ),
  scan: row(scan, 'body', 'length'),
  while: row(whileLoop, 'body', 'condition'),
  get: gone('get'),
  observe: gone('observe'),
  customCall: gone('customCall'),
  cond: gone('cond'),
  customLinear: gone('customLinear'),
}
