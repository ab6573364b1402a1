/**
 * Smaller samples of the same kind: fewer outputs, inner nodes cut down to inputs that hold the very values they had,
 * nodes replaced by an operand of their type, plainer numbers.
 */
import { make, typeOf, typesOf } from '../lang/build.ts'
import { isFloat } from '../lang/dtype.ts'
import { evaluate } from '../lang/evaluate.ts'
import type { Node } from '../lang/ir.ts'
import type { Value } from '../lang/primitive.ts'
import { ShapeEq } from '../lang/shape.ts'
import { topological } from '../lang/topological.ts'
import { inputFor, type Sample, sampleOf } from './sample.ts'
import { stored } from './workshop.ts'

const valuesOf = ({ graph, inputs }: Sample): ReadonlyMap<Node, Value> => {
  const values = new Map<Node, Value>()
  evaluate(graph, inputs, {
    after: (n, arrays) => {
      values.set(n, { ...typeOf(n), data: arrays[0]! })
      return arrays
    },
  })
  return values
}

/** `outputs` with one node replaced by another of its type. */
const replaced = (outputs: readonly Node[], from: Node, to: Node): readonly Node[] => {
  const memo = new Map<Node, Node>([[from, to]])
  for (const n of topological(outputs)) {
    if (memo.has(n)) continue
    const args = n.args.map((a) => memo.get(a)!)
    memo.set(n, args.every((a, i) => a === n.args[i]) ? n : make(n.op, args, n.params as never))
  }
  return outputs.map((n) => memo.get(n)!)
}

const isLeaf = (n: Node): boolean => n.args.length === 0

/** What a node reads that can be an output: of an op of several outputs, which is none, what that reads. */
const operandsOf = (n: Node): readonly Node[] =>
  [...new Set(n.args)].flatMap((a) => (typesOf(a).length === 1 ? [a] : operandsOf(a)))

const sameType = (a: Node, b: Node): boolean => {
  const [x, y] = [typeOf(a), typeOf(b)]
  return typesOf(a).length === typesOf(b).length && x.dtype === y.dtype && ShapeEq.equals(x.shape, y.shape)
}

/** Plainer contents of a tensor, none where they are plain. */
const plainer = (v: Value): readonly Value[] => {
  const out: Value[] = []
  const attempt = (f: (x: number, i: number) => number): void => {
    const data = v.data.map(f)
    if (data.some((x, i) => !Object.is(x, v.data[i]))) out.push({ ...v, data })
  }
  const calm = v.data.every((x) => Number.isInteger(x) && Math.abs(x) < 10)
  if (v.data.some((x) => x !== 0 && x !== 1)) attempt(() => 1)
  if (v.data.some((x) => x !== 0)) attempt(() => 0)
  if (isFloat(v.dtype) && !calm) attempt((x) => (Number.isFinite(x) ? Math.trunc(x % 10) : x))
  return out
}

/** Candidates, the boldest first. Each has fewer nodes, or as many and plainer numbers. */
export function* shrinkSample(sample: Sample): IterableIterator<Sample> {
  const { graph, inputs } = sample
  const given = new Map<Node, Value>(graph.inputs.map((n, i) => [n, inputs[i]!]))
  const { outputs } = graph
  if (outputs.length > 1) {
    for (const n of outputs) yield sampleOf([n], given)
    for (let i = 0; i < outputs.length; i++) yield sampleOf(outputs.toSpliced(i, 1), given)
  }
  const values = valuesOf(sample)
  const inner = topological(outputs).filter((n) => !isLeaf(n))
  for (const o of new Set(outputs)) for (const a of operandsOf(o)) yield sampleOf([a], given)
  for (const n of inner.toReversed()) {
    if (outputs.includes(n) || typesOf(n).length > 1) continue
    const value = stored(values.get(n)!)
    const input = inputFor(value)
    yield sampleOf(replaced(outputs, n, input), new Map([...given, [input, value]]))
  }
  for (const n of inner) {
    for (const a of new Set(n.args)) if (sameType(n, a)) yield sampleOf(replaced(outputs, n, a), given)
  }
  for (const [i, n] of graph.inputs.entries()) {
    for (const v of plainer(inputs[i]!)) yield sampleOf(outputs, new Map([...given, [n, v]]))
  }
}

/**
 * The smallest sample that still fails, by greedy descent over `shrinkSample`: what fast-check does, for tests that run
 * many samples at once. Stops after `tries` attempts.
 */
export const smallest = async (
  sample: Sample,
  fails: (s: Sample) => Promise<boolean> | boolean,
  tries = 400,
): Promise<Sample> => {
  let current = sample
  let left = tries
  for (let moved = true; moved && left > 0; ) {
    moved = false
    for (const candidate of shrinkSample(current)) {
      if (left-- <= 0) break
      if (await fails(candidate)) {
        current = candidate
        moved = true
        break
      }
    }
  }
  return current
}
