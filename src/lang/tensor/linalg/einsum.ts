/** Einstein summation over any number of operands, contracted in pairs in the order that multiplies least. */
import { typeOf } from '../../build.ts'
import type { Shape } from '../../dim.ts'
import { promote } from '../../dtype.ts'
import { type Refusal, raise } from '../../errors.ts'
import type { Node, TensorType } from '../../ir.ts'
import { type Tensor, tensorOf } from '../../types/tensor.ts'
import { showArgument } from '../arguments.ts'
import { castNode, expandNode, isIll, lift, refuse, reshapeNode, withTypes } from '../operand.ts'
import { reduceNode } from '../reduce/reduction.ts'
import { permuteNode } from '../shape/axes.ts'
import { contractNode } from './contraction.ts'
import { contractionOrder } from './contraction-order.ts'
import { planeDiagonal } from './triangles.ts'

/** Labels are character codes; an axis under `...` gets a negative one, counted from the right. */
type Labels = readonly number[]

interface Term {
  readonly node: Node
  readonly labels: Labels
}

const dots = (count: number): Labels => Array.from({ length: count }, (_, i) => i - count)

/** Labels of one side of the equation, `...` standing for `ellipsis` axes. */
const labelsOf = (text: string, ellipsis: number): Labels | string => {
  const parts = text.split('...')
  if (parts.length > 2) return `'${text}' has more than one ellipsis`
  const letters = (s: string): Labels => [...s].map((c) => c.codePointAt(0)!)
  if (!parts.every((p) => /^[A-Za-z]*$/.test(p))) return `'${text}' may hold letters and one '...' only`
  return parts.length === 1 ? letters(text) : [...letters(parts[0]!), ...dots(ellipsis), ...letters(parts[1]!)]
}

const name = 'T.einsum'

/** A repeated label of one operand means its diagonal. */
const withoutRepeats = ({ node, labels }: Term): Term => {
  for (let i = 0; i < labels.length; i++) {
    const j = labels.indexOf(labels[i]!, i + 1)
    if (j < 0) continue
    const rest = labels.filter((_, k) => k !== i && k !== j)
    return withoutRepeats({ node: planeDiagonal(node, i, j, 0), labels: [...rest, labels[i]!] })
  }
  return { node, labels }
}

const shapeOf = (n: Node): Shape => typeOf(n).shape

/** Sizes of all labels, or the label whose sizes clash. */
const sizesOf = (
  terms: readonly { readonly shape: Shape; readonly labels: Labels }[],
): Map<number, number> | number => {
  const sizes = new Map<number, number>()
  for (const { shape, labels } of terms) {
    for (const [i, l] of labels.entries()) {
      const [old, size] = [sizes.get(l) ?? 1, shape[i]!]
      if (old !== size && old !== 1 && size !== 1) return l
      sizes.set(l, old === 1 ? size : old)
    }
  }
  return sizes
}

const labelName = (l: number): string => (l < 0 ? '...' : String.fromCodePoint(l))

/** Without `->`: the ellipsis, then the labels that occur once, in alphabetical order. */
const implicitOutput = (inputs: readonly Labels[]): Labels => {
  const all = inputs.flat()
  const once = [...new Set(all)].filter((l) => l >= 0 && all.indexOf(l) === all.lastIndexOf(l))
  return [...[...new Set(all)].filter((l) => l < 0).sort((a, b) => a - b), ...once.sort((a, b) => a - b)]
}

interface Equation {
  readonly inputs: readonly Labels[]
  readonly out: Labels
}

const parse = (equation: string, types: readonly TensorType[]): Equation | string => {
  const [left, right, ...more] = equation.replaceAll(' ', '').split('->')
  if (more.length > 0) return `'${equation}' has more than one arrow`
  const texts = left!.split(',')
  if (texts.length !== types.length) return `'${equation}' names ${texts.length} operands, ${types.length} are given`
  const covered = texts.map((t, i) => (t.includes('...') ? types[i]!.shape.length - t.replace('...', '').length : 0))
  const inputs: Labels[] = []
  for (const [i, text] of texts.entries()) {
    const labels = covered[i]! < 0 ? [] : labelsOf(text, covered[i]!)
    if (typeof labels === 'string') return labels
    if (labels.length !== types[i]!.shape.length)
      return `'${text}' labels ${text.replace('...', '').length} axes, operand ${i + 1} has rank ${types[i]!.shape.length}`
    inputs.push(labels)
  }
  if (right === undefined) return { inputs, out: implicitOutput(inputs) }
  const out = labelsOf(right, Math.max(0, ...covered))
  if (typeof out === 'string') return out
  const unknown = out.find((l) => !inputs.some((labels) => labels.includes(l)))
  if (unknown !== undefined) return `output label '${labelName(unknown)}' is in no operand`
  if (new Set(out).size !== out.length) return `'${right}' repeats a label in the output`
  return { inputs, out }
}

/** Sums away what `out` lacks, puts the axes in its order, and grows size-1 axes to the sizes of the labels. */
const finish = ({ node, labels }: Term, out: Labels, sizes: Map<number, number>): Node => {
  const gone = labels.flatMap((l, i) => (out.includes(l) ? [] : [i]))
  const summed = reduceNode(node, 'sum', gone)
  const left = labels.filter((l) => out.includes(l))
  const ordered = permuteNode(
    summed,
    out.filter((l) => left.includes(l)).map((l) => left.indexOf(l)),
  )
  if (isIll(ordered)) return ordered
  const shape = shapeOf(ordered)
  let at = 0
  const full = reshapeNode(
    ordered,
    out.map((l) => (left.includes(l) ? shape[at++]! : 1)),
  )
  return expandNode(
    full,
    out.map((l) => sizes.get(l)!),
  )
}

/**
 * Products of operands of one dtype summed over the labels the output lacks: `T.einsum('ij,jk->ik', a, b)`. Any number
 * of operands, contracted in pairs in the order with the fewest multiplications; repeated labels of one operand take
 * diagonals; `...` stands for broadcast axes; without `->` the labels that occur once are the output, in alphabetical order. ShapeError for a malformed
 * equation or sizes that differ.
 * @example
 * T.reference(T.einsum('ij,j->i', T.tensor([[1, 2], [3, 4]]), T.tensor([5, 6]))).data // => [17, 39]
 * T.reference(T.einsum('ii', T.tensor([[1, 2], [3, 4]]))).data // => [5]
 */
export const einsum = (equation: string, ...operands: readonly Tensor[]): Tensor => {
  if (typeof equation !== 'string')
    return raise({
      tag: 'UsageError',
      message: `${name}: the equation is ${showArgument(equation)}, not a string`,
      hint: "it comes first, as in T.einsum('ij,jk->ik', a, b)",
    })
  const nodes = operands.map((x, i) => lift(name, x, i))
  return tensorOf(
    withTypes(name, nodes, (types) => {
      const fail = (refusal: Refusal): Node => refuse(name, nodes, refusal)
      const other = types.find((t) => t.dtype !== types[0]!.dtype)
      if (other)
        return fail({
          reason: `dtypes ${types[0]!.dtype} and ${other.dtype} differ`,
          hint: `cast one operand, e.g. T.cast(x, '${promote(types[0]!.dtype, other.dtype)}')`,
        })
      const parsed = parse(equation, types)
      if (typeof parsed === 'string') return fail({ reason: parsed, hint: "write it as in 'ij,jk->ik'" })
      const { inputs, out } = parsed
      const sizes = sizesOf(types.map((t, i) => ({ shape: t.shape, labels: inputs[i]! })))
      if (typeof sizes === 'number')
        return fail({ reason: `label '${labelName(sizes)}' has operands of different sizes` })
      const plain = nodes.map(
        (n, i): Term =>
          withoutRepeats({ node: types[i]!.dtype === 'bool' ? castNode(n, 'i32') : n, labels: inputs[i]! }),
      )
      const terms = [...plain]
      for (const [first, second] of contractionOrder(
        plain.map((t) => t.labels),
        out,
        sizes,
      )) {
        const [b] = terms.splice(second, 1)
        const [a] = terms.splice(first, 1)
        const later = terms.flatMap((t) => t.labels)
        const both = [...new Set([...a!.labels, ...b!.labels])]
        const kept = both.filter((l) => out.includes(l) || later.includes(l))
        const labels = terms.length === 0 ? out.filter((l) => kept.includes(l)) : kept
        terms.push({
          node: contractNode(a!.node, b!.node, typeOf(a!.node), typeOf(b!.node), a!.labels, b!.labels, labels),
          labels,
        })
      }
      return finish(terms[0]!, out, sizes)
    }),
  )
}
