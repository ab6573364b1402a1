/** The row of scan: a loop of known length over carried values and slices. Its derivatives are in `scan-derivative.ts`. */
import * as E from '#fp/Either'
import { type Dim, isDim, sizeOf } from '../dim.ts'
import { allocate, lastCount } from '../dtype.ts'
import { showOperand } from '../errors.ts'
import type { Build, Node, ParamsOf, TensorType } from '../ir.ts'
import type { BatchContext, Primitive, Value } from '../primitive.ts'
import { outputsOf, withAxis, wrongOperands } from './closed-graphs.ts'
import { operandType, refuse } from './operand-checks.ts'
import { stack } from './rule-parts.ts'
import { jvpOfScan, transposeOfScan } from './scan-derivative.ts'

type Scan = ParamsOf['scan']

/** The type of one slice, or why there is none. */
const sliceType = (x: TensorType, length: Dim): TensorType | undefined =>
  x.shape[0] === length ? { shape: x.shape.slice(1), dtype: x.dtype } : undefined

/** Axis `from` of `x` becomes axis `to`, one of them being 0 and the other 1. */
const swapFirst = (b: Build, x: Node): Node => {
  const axes = operandType(x).shape.map((_, i) => i)
  return b.permute([x], { axes: [1, 0, ...axes.slice(2)] })
}

/** Carries that some example changes differently are batched: those given, and those the body makes so. */
const batchedBody = ({ batched, size, params, walk }: BatchContext<Scan>) => {
  let flags = batched
  for (;;) {
    const found = walk(params.body, flags, size)
    const next = flags.map((f, i) => f || (i < params.carries && found.batched[i]!))
    if (next.every((f, i) => f === flags[i])) return { found, flags }
    flags = next
  }
}

/** Operands as `scan` of ir.ts says → the last carries, then the stacks. */
export const scan: Primitive<Scan> = {
  infer: (xs, { body, carries, slices, length }) => {
    if (!isDim(length) || length < 1) return refuse(`a scan has at least one turn, not ${length}`)
    if (length > lastCount) return refuse(`a scan has at most ${lastCount} turns, not ${length}`)
    const inner: TensorType[] = []
    for (const [i, x] of xs.entries()) {
      const isSlice = i >= carries && i < carries + slices
      const type = isSlice ? sliceType(x, length) : x
      if (!type) return refuse(`operand ${i} is ${showOperand(x)}, and the scan has ${length} turns`, 0)
      inner.push(type)
    }
    const bad = wrongOperands(inner, body)
    if (bad) return bad
    const outputs = body.outputs.map(operandType)
    const changed = outputs.slice(0, carries).findIndex((t, i) => showOperand(t) !== showOperand(inner[i]!))
    if (changed >= 0)
      return refuse(
        `carry ${changed} is ${showOperand(inner[changed]!)} and becomes ${showOperand(outputs[changed]!)}`,
        undefined,
        'a carried value keeps its shape and dtype from turn to turn',
      )
    return E.right(
      outputs.map(({ shape, dtype }, i) => (i < carries ? { shape, dtype } : { shape: [length, ...shape], dtype })),
    )
  },
  jvp: jvpOfScan,
  transpose: transposeOfScan,
  batch: (c) => {
    const { b, args, batched, size, params, kit } = c
    const { carries, slices } = params
    const { found, flags } = batchedBody(c)
    const isSlice = (i: number): boolean => i >= carries && i < carries + slices
    const operands = args.map((x, i) => {
      if (isSlice(i)) return batched[i] ? swapFirst(b, x) : x
      return flags[i] && !batched[i] ? stack(b, x, size) : x
    })
    const outputs = found.graph.outputs.map((n, i) => {
      const wanted = i < carries ? flags[i]! : true
      return wanted ? withAxis(b, [n], [found.batched[i]!], size)[0]! : n
    })
    const body = kit.close({ inputs: found.graph.inputs, outputs })
    const all = outputsOf(b, b.scan(operands, { ...params, body }), outputs.length)
    return all.map((n, i) => (i >= carries ? swapFirst(b, n) : flags[i] ? n : stack(b, n, size)))
  },
  eval: (xs, { body, carries, slices, length, reverse }, types, run) => {
    const stacks = types.slice(carries).map((t) => allocate(t.dtype, sizeOf(t.shape)))
    let carried = xs.slice(0, carries)
    for (let turn = 0; turn < length; turn++) {
      const t = reverse ? length - 1 - turn : turn
      const cut = xs.slice(carries, carries + slices).map((x): Value => {
        const shape = x.shape.slice(1)
        const n = sizeOf(shape)
        return { shape, dtype: x.dtype, data: x.data.subarray(t * n, (t + 1) * n) }
      })
      const found = run(body, [...carried, ...cut, ...xs.slice(carries + slices)])
      carried = found.slice(0, carries)
      for (const [k, y] of found.slice(carries).entries()) stacks[k]!.set(y.data, t * y.data.length)
    }
    return [...carried.map((v) => v.data), ...stacks]
  },
}
