/** The table of what is exercised: every primitive by every column, worked out by running them all. */
import * as E from '#fp/Either'
import { typeOf } from '../../../../src/lang/build.ts'
import { type DType, dtypes } from '../../../../src/lang/dtype.ts'
import type { Op } from '../../../../src/lang/ir.ts'
import { primitives } from '../../../../src/lang/ops/primitive-table.ts'
import type { Primitive } from '../../../../src/lang/primitive.ts'
import { gradientOf } from '../../../../src/testing/derivative.ts'
import type { Sample } from '../../../../src/testing/sample.ts'
import { forward, grad, joins, jvp, second, type Verdict, vmap, withConsumers } from './columns.ts'
import { type Case, casesOf, type ShapeKind, shapeNames } from './draw.ts'

const counted = ['jvp', 'grad', 'second', 'vmap', 'consumer'] as const
export type Column = ShapeKind | (typeof counted)[number]

/** What one op went through. */
export interface Row {
  readonly op: Op
  /** Programs judged right, by column. */
  readonly right: { readonly [C in Column]: number }
  /** Programs with nothing to judge, by column. */
  readonly none: { readonly [C in Column]: number }
  readonly dtypes: readonly DType[]
  /** Dtypes that its row accepts in the place of those it was given, and that nothing exercised. */
  readonly missing: readonly DType[]
  /** Whether its users are computed where it is, in some program. */
  readonly joins: boolean
}

/** Programs of an op for each kind of shape. */
const perKind = 2

/** Only derivatives bring it about, and they transpose it away: it is exercised wherever customCall's are. */
const standsIn = (op: Op): Op => (op === 'customLinear' ? 'customCall' : op)

/**
 * Programs for derivatives. Between floats alone has a cast one; the reference rounds where it makes a number narrower, so
 * that differences show steps: it is judged the other way.
 */
const smoothCases = (op: Op, kind: ShapeKind): readonly Case[] =>
  op === 'cast'
    ? casesOf(op, kind, 2 * perKind, ['f32', 'f16']).filter((c) => typeOf(c.node).dtype === 'f32')
    : casesOf(op, kind, perKind, ['f32'])

/** Ops whose first operand chooses or counts; the last is what they work on. */
const ledByIndex: ReadonlySet<Op> = new Set<Op>(['select', 'while', 'cond'])

/** The dtypes of `candidates` that infer accepts in the place of the one of what the op works on. */
const alsoAccepted = (node: Case['node'], candidates: readonly DType[]): readonly DType[] => {
  const row = primitives[node.op] as Primitive<unknown>
  const types = node.args.map(typeOf)
  const accepts = (from: DType | undefined, to: DType): boolean =>
    from !== undefined &&
    E.isRight(
      row.infer(
        types.map((t) => (t.dtype === from ? { ...t, dtype: to } : t)),
        node.params,
      ),
    )
  return candidates.filter((d) => accepts(types.at(ledByIndex.has(node.op) ? -1 : 0)?.dtype, d))
}

/** Runs one op through every column; throws where something is wrong. */
export const rowOf = (op: Op): Row => {
  const zero = (): Record<Column, number> =>
    Object.fromEntries([...shapeNames, ...counted].map((c) => [c, 0])) as Record<Column, number>
  const [right, none] = [zero(), zero()]
  const count = (column: Column, judge: (s: Sample) => Verdict, { sample }: Case): void => {
    const verdict = judge(sample)
    if (verdict === 'right') right[column] += 1
    if (verdict === 'none') none[column] += 1
  }
  const drawn = standsIn(op)
  let joined = false
  for (const kind of shapeNames) {
    for (const c of casesOf(drawn, kind, perKind)) {
      count(kind, forward, c)
      count('consumer', (s) => forward(withConsumers(s)), c)
      if (kind === 'prime') joined ||= joins(c.sample)
      if (kind !== 'tile') count('vmap', vmap, c)
    }
    // Beyond some size nothing about a derivative changes, and differences take their time.
    if (kind === 'tile') continue
    for (const c of smoothCases(drawn, kind)) {
      count('jvp', jvp, c)
      count('grad', grad, c)
      count('second', second, c)
    }
  }
  const kind = op === 'data' ? 'prime' : 'ordinary'
  const found = dtypes.filter((d) => casesOf(drawn, kind, 2, [d]).some((c) => forward(c.sample) === 'right'))
  const some = casesOf(drawn, kind, 2)[0]
  const missing = some
    ? alsoAccepted(
        some.node,
        dtypes.filter((d) => !found.includes(d)),
      )
    : []
  return { op, right, none, dtypes: found, missing, joins: joined }
}

export const ops: readonly Op[] = Object.keys(primitives) as readonly Op[]

/** Ops whose results do not depend smoothly on a float operand, or do so with slope zero. */
// biome-ignore format: a word list
export const withoutDerivative: ReadonlySet<Op> = new Set<Op>([
  'sign', 'floor', 'ceil', 'trunc', 'round', 'not', 'isNan', 'isInf', 'eq', 'lt', 'le', 'and', 'or', 'xor',
  'shiftLeft', 'shiftRight', 'bitcast', 'const', 'data', 'iota', 'threefry', 'stopGradient',
])

/** Ops that are linear in each float operand by itself, and in all together. */
// biome-ignore format: a word list
export const linear: ReadonlySet<Op> = new Set<Op>([
  'neg', 'abs', 'add', 'sub', 'rem', 'max', 'min', 'select', 'cast', 'input', 'reshape', 'permute', 'broadcast', 'slice',
  'pad', 'flip', 'concat', 'window', 'fold', 'gather', 'scatterAdd', 'sort', 'observe', 'barrier',
])

/** Shapes that an op cannot be given, and why. */
export const impossible: ReadonlyMap<Op, { readonly shapes: readonly ShapeKind[]; readonly why: string }> = new Map(
  (
    [
      ['data', ['empty', 'one', 'scalar'], 'a constant of few elements is a const'],
      ...(
        ['iota', 'permute', 'slice', 'pad', 'flip', 'concat', 'window', 'fold', 'cumulate', 'sort', 'gather'] as const
      ).map((op) => [op, ['scalar'], 'works along an axis'] as const),
      ...(['triangularSolve', 'cholesky', 'lu', 'qr', 'eigh', 'svd'] as const).map(
        (op) => [op, ['scalar'], 'takes matrices'] as const,
      ),
    ] as readonly (readonly [Op, readonly ShapeKind[], string])[]
  ).map(([op, shapes, why]) => [op, { shapes, why }]),
)

/** What is not exercised though it could be, in words. */
export const holesOf = (row: Row): readonly string[] => {
  const { op, right } = row
  const holes: string[] = []
  const expect = (column: Column, possible: boolean): void => {
    if (possible !== right[column] > 0)
      holes.push(`${op}: ${column}: ${right[column]} programs, ${possible ? 'some' : 'none'} expected`)
  }
  for (const kind of shapeNames) expect(kind, !impossible.get(op)?.shapes.includes(kind))
  const smooth = !withoutDerivative.has(op)
  expect('jvp', smooth)
  // Without a bound there is no reverse mode: how much to keep is not known.
  expect('grad', smooth && op !== 'while')
  expect('second', smooth && op !== 'while' && !linear.has(op))
  expect('vmap', op !== 'const' && op !== 'data' && op !== 'iota')
  expect('consumer', true)
  if (row.missing.length > 0) holes.push(`${op}: accepts ${row.missing.join(', ')}, which nothing exercises`)
  if (row.dtypes.length === 0) holes.push(`${op}: no dtype`)
  return holes
}

const derivativeCell = (row: Row, column: 'jvp' | 'grad' | 'second'): string => {
  if (row.right[column] > 0) return `${row.right[column]}`
  if (row.right.jvp === 0) return 'none'
  return column === 'second' && row.right.grad > 0 ? 'linear' : 'unbounded'
}

const numberOr = (n: number, text: string): string => (n > 0 ? `${n}` : text)

/** The table in Markdown. */
export const render = (rows: readonly Row[]): string => {
  const header = ['op', ...shapeNames, 'dtypes', 'jvp', 'grad', 'second', 'vmap', 'consumer', 'kernels']
  const cells = rows.map((row) => [
    row.op,
    ...shapeNames.map((k) => numberOr(row.right[k], '–')),
    row.dtypes.join(' '),
    derivativeCell(row, 'jvp'),
    derivativeCell(row, 'grad'),
    derivativeCell(row, 'second'),
    numberOr(row.right.vmap, 'constant'),
    numberOr(row.right.consumer, '–'),
    row.joins ? 'fused' : 'its own',
  ])
  const line = (xs: readonly string[]): string => `| ${xs.join(' | ')} |`
  const reasons = new Map<string, Op[]>()
  for (const [op, { why }] of impossible) reasons.set(why, [...(reasons.get(why) ?? []), op])
  return [
    '# What is exercised of every primitive',
    '',
    'Written by `npm run --silent coverage`; `test/lang/ops/coverage.test.ts` runs it all again and compares. A number',
    'counts programs around the op, made at random with fixed seeds, that came out right: the Loop and the Kernel',
    'interpreter against the Float64 reference for each kind of shape, for each dtype, and with an elementwise user behind',
    'it (`consumer`); tangents, gradients and second derivatives against central differences, forward against reverse mode;',
    '`vmap` against each example alone. `kernels` says whether such a user is computed where the op is. A sample of the',
    'same programs, and their gradients, runs in WGSL.',
    '',
    line(header),
    line(header.map(() => '---')),
    ...cells.map(line),
    '',
    ...[...reasons].map(([why, of]) => `- –: ${of.join(', ')}: ${why}.`),
    '- `none`: the results do not depend smoothly on an operand. `linear`: the gradient does not depend on the operands.',
    '- `unbounded`: a loop without `maxIterations` has no reverse mode. With it, it is a scan.',
    '- customLinear stands for the derivative of a customVjp until it is transposed: its programs are those of customCall.',
    '',
  ].join('\n')
}

/** Programs for a device: of each op three kinds of shape; the op alone, with a user, and its gradient. */
export const deviceSamples = (op: Op): readonly Sample[] => {
  const i = ops.indexOf(op)
  const one = (turn: number): Sample | undefined =>
    casesOf(standsIn(op), shapeNames[(i + 2 * turn) % shapeNames.length]!, 1)[0]?.sample
  const [alone, used, smooth] = [one(0), one(1), one(2)]
  const gradient = smooth && op !== 'while' ? gradientOf(smooth)?.sample : undefined
  return [alone, used && withConsumers(used), gradient].filter((s) => s !== undefined)
}
