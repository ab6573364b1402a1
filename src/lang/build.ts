/**
 * The hash-consing constructor: the only place that makes nodes and calls `infer`. Equal expressions are one object, so
 * common subexpressions cost nothing. Building never throws: an ill-typed node is a value that carries its ShapeError.
 */
import * as E from '#fp/Either'
import { pathOf } from './argument-paths.ts'
import { allocate, type HostArray, isFloat } from './dtype.ts'
import { type OperandInfo, raise, type ShapeError, type Site, showOperand } from './errors.ts'
import type { Build, Node, NodeOf, Op, ParamsOf, TensorType } from './ir.ts'
import { primitives } from './ops/primitive-table.ts'
import type { Primitive } from './primitive.ts'
import { noteMade } from './provenance.ts'
import { captureSite } from './site.ts'

/** Inherited by every node: what JavaScript may and may not do with one. */
class GraphNode {
  readonly id: number
  readonly op: Op
  readonly params: ParamsOf[Op]
  readonly args: readonly Node[]
  readonly type: E.Either<ShapeError, readonly TensorType[]>
  constructor(id: number, op: Op, params: ParamsOf[Op], args: readonly Node[], type: GraphNode['type']) {
    this.id = id
    this.op = op
    this.params = params
    this.args = args
    this.type = type
  }
  /** A copy of the shape, which nobody can change; throws the node's own ShapeError when it is ill-typed. */
  get shape(): TensorType['shape'] {
    return Object.freeze([...typeOf(this as unknown as Node).shape])
  }
  /** The dtype; throws the node's own ShapeError when it is ill-typed. */
  get dtype(): TensorType['dtype'] {
    return typeOf(this as unknown as Node).dtype
  }
  [Symbol.toPrimitive](kind: 'string' | 'number' | 'default'): never {
    const site = captureSite()
    const asText = kind === 'string'
    return raise({
      tag: 'UsageError',
      message: `a tensor (${describe(this as unknown as Node)}) was used as a JavaScript ${asText ? 'string' : 'number, string or condition'}`,
      hint: asText
        ? 'it has no values yet: String(await T.evaluate(x)) shows them, console.log(x) its shape'
        : 'write T.add(a, b) for a + b, and T.where(condition, a, b) for a choice between tensors; T.evaluate(x) gives numbers',
      ...(site ? { site } : {}),
    })
  }
  /** What `JSON.stringify` gives: a tensor has a type, and no values before it is computed. */
  toJSON(): unknown {
    return E.isLeft(this.type) ? describe(this as unknown as Node) : this.type.right[0]
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `Tensor(${describe(this as unknown as Node)})`
  }
  /** How fast-check prints a counterexample. */
  [Symbol.for('fast-check/toStringMethod')](): string {
    return showContents(this as unknown as Node)
  }
}

const describe = (n: Node): string =>
  E.isLeft(n.type) ? `${n.op}, ill-typed` : `${n.op} ${n.type.right.map(showOperand).join(', ')}`

/** `f32[8] [1, -0, 2 ×6]` for a constant. */
const showContents = (n: Node): string => {
  if ((n.op !== 'const' && n.op !== 'data') || E.isLeft(n.type)) return `Tensor(${describe(n)})`
  const values = Array.from(n.op === 'const' ? n.params.values : n.params.payload.array)
  const runs: string[] = []
  for (let from = 0, to = 0; from < values.length; from = to) {
    while (to < values.length && Object.is(values[to], values[from])) to++
    const shown = Object.is(values[from], -0) ? '-0' : `${values[from]}`
    if (to - from > 4) runs.push(`${shown} ×${to - from}`)
    else for (let i = from; i < to; i++) runs.push(shown)
  }
  return `${n.type.right.map(showOperand).join()} [${runs.join(', ')}]`
}

const buckets = new Map<number, WeakRef<Node>[]>()
const registry = new FinalizationRegistry<number>((hash) => {
  const live = (buckets.get(hash) ?? []).filter((r) => r.deref() !== undefined)
  if (live.length === 0) buckets.delete(hash)
  else buckets.set(hash, live)
})
let nextId = 1

/** How many hash buckets are in use; it falls when nodes are collected. */
export const internedBuckets = (): number => buckets.size

const float = new Float64Array(1)
const words = new Uint32Array(float.buffer)
const mix = (h: number, x: number): number => {
  const k = Math.imul(h ^ x, 0x9e3779b1)
  return k ^ (k >>> 15)
}
const hashNumber = (h: number, x: number): number => {
  if ((x | 0) === x && !Object.is(x, -0)) return mix(h, x)
  float[0] = x
  return mix(mix(h, words[0]!), words[1]!)
}
const hashString = (h: number, s: string): number => {
  for (let i = 0; i < s.length; i++) h = mix(h, s.charCodeAt(i))
  return h
}

/** Structural hash of serialisable data; a payload counts by identity, and so do the nodes of a closed graph, being interned. */
const hashData = (h: number, v: unknown): number => {
  if (v instanceof GraphNode) return mix(h, v.id)
  if (typeof v === 'number') return hashNumber(h, v)
  if (typeof v === 'string') return hashString(h, v)
  if (Array.isArray(v)) return v.reduce<number>(hashData, mix(h, v.length))
  if (v !== null && typeof v === 'object') {
    if ('serial' in v) return mix(h, v.serial as number)
    // A sum over the entries, as `{ shape, dtype }` and `{ dtype, shape }` are one and the same parameters.
    let entries = 0
    for (const k in v) entries += hashData(mix(k.length, k.charCodeAt(0)), (v as Record<string, unknown>)[k])
    return mix(h, entries | 0)
  }
  return mix(h, v === true ? 1 : 2)
}

const sameData = (a: unknown, b: unknown): boolean => {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || 'serial' in a) return false
  if (a instanceof GraphNode || b instanceof GraphNode) return false
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((x, i) => sameData(x, b[i]))
  const x = a as Record<string, unknown>
  const y = b as Record<string, unknown>
  for (const k in x) if (!sameData(x[k], y[k])) return false
  for (const k in y) if (!(k in x)) return false
  return true
}

const sameNode = (n: Node, op: Op, args: readonly Node[], params: ParamsOf[Op]): boolean =>
  n.op === op && n.args.length === args.length && args.every((a, i) => a === n.args[i]) && sameData(n.params, params)

/** The mistakes that poison a node from below are reported where they are, not again above. */
export const isPoisoned = (n: Node): boolean => n.args.some((a) => E.isLeft(a.type))

const ill = (op: Op, args: readonly Node[], params: ParamsOf[Op], error: ShapeError): Node =>
  new GraphNode(nextId++, op, params, args, E.left(error)) as unknown as Node

/** An ill-typed node made by a tensor function that can tell before any primitive does (a bad axis, say). */
export const illTyped = (
  op: string,
  args: readonly Node[],
  refusal: Omit<ShapeError, 'tag' | 'op' | 'operands' | 'site'>,
): Node => {
  const poison = args.find((a) => E.isLeft(a.type))
  if (poison && E.isLeft(poison.type)) return ill('stopGradient', args, {}, poison.type.left)
  return ill('stopGradient', args, {}, shapeError(op, operandsOf(args), refusal, captureSite()))
}

/** What the operands of a mistake are, and which arguments. */
const operandsOf = (args: readonly Node[]): readonly OperandInfo[] =>
  args.flatMap((a) => {
    if (E.isLeft(a.type)) return []
    const { shape, dtype } = a.type.right[0]!
    const path = pathOf(a)
    return [{ shape, dtype, ...(path === undefined ? {} : { path }) }]
  })

const shapeError = (
  op: string,
  operands: readonly OperandInfo[],
  refusal: Omit<ShapeError, 'tag' | 'op' | 'operands' | 'site'>,
  site: Site | undefined,
): ShapeError => ({
  tag: 'ShapeError',
  op,
  operands,
  ...refusal,
  ...(site ? { site } : {}),
})

/** The node `op(args)`, interned. The `op`'s own `infer` decides whether it is well-typed. */
export const make = <K extends Op>(op: K, args: readonly Node[], params: ParamsOf[K]): Node => {
  let hash = hashData(hashString(17, op), params)
  for (const a of args) {
    if (E.isLeft(a.type)) return ill(op, args, params, a.type.left)
    hash = mix(hash, a.id)
  }
  const bucket = buckets.get(hash)
  if (bucket) {
    for (const ref of bucket) {
      const n = ref.deref()
      if (n && sameNode(n, op, args, params)) {
        noteMade(n)
        return n
      }
    }
  }
  const outputs = args.map((a) => (a.type as E.Right<readonly TensorType[]>).right)
  // `get` alone chooses among all outputs of its operand; every other op means the first of each.
  const types = op === 'get' && outputs.length === 1 ? outputs[0]! : outputs.map((o) => o[0]!)
  const type = (primitives[op] as Primitive<ParamsOf[K]>).infer(types, params)
  if (E.isLeft(type)) return ill(op, args, params, shapeError(op, operandsOf(args), type.left, captureSite()))
  const node = Object.freeze(
    new GraphNode(nextId++, op, Object.freeze(params), Object.freeze(args.slice()), type),
  ) as unknown as Node
  const ref = new WeakRef(node)
  if (bucket) bucket.push(ref)
  else buckets.set(hash, [ref])
  registry.register(node, hash)
  noteMade(node)
  return node
}

/** One constructor per primitive, for rules and tensor functions. */
export const build: Build = Object.fromEntries(
  Object.keys(primitives).map((op) => [op, (args: readonly Node[], params: never) => make(op as Op, args, params)]),
) as unknown as Build

/** The types of all outputs of a well-typed node; throws the node's ShapeError otherwise. */
export const typesOf = (n: Node): readonly TensorType[] => (E.isLeft(n.type) ? raise(n.type.left) : n.type.right)

/** The type of a node's first (usually only) output; throws the node's ShapeError when ill-typed. */
export const typeOf = (n: Node): TensorType => typesOf(n)[0]!

let nextTrace = 1

/** Fresh input nodes for tracing a function: never equal to any node that exists. */
export const freshInputs = (types: readonly TensorType[]): readonly NodeOf<'input'>[] => {
  const trace = nextTrace++
  return types.map(({ shape, dtype }, index) => build.input([], { trace, index, shape, dtype }))
}

let nextPayload = 1

/** Copied as it is: what comes in single precision is kept so, as weights are many. */
const copied = ({ dtype }: TensorType, array: ArrayLike<number>): HostArray => {
  if (isFloat(dtype) && array instanceof Float32Array) return array.slice()
  const out = allocate(dtype, array.length)
  out.set(array)
  return out
}

/** A constant of given contents (copied): up to 64 elements inside the node, beyond that a `data` leaf by identity. */
export const constant = (type: TensorType, array: ArrayLike<number>): Node =>
  array.length <= 64
    ? build.const([], { ...type, values: Array.from(array) })
    : build.data([], { ...type, payload: { serial: nextPayload++, array: copied(type, array) } })
