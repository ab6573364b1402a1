/** The row of while: a loop whose number of turns the device finds out. Forward mode only: nothing bounds what reverse would keep. */
import * as E from '#fp/Either'
import { lastCount } from '../dtype.ts'
import { raise, showOperand } from '../errors.ts'
import type { Graph, Node, ParamsOf } from '../ir.ts'
import type { BatchContext, JvpContext, Linear, Primitive, Value } from '../primitive.ts'
import { chosen, isSome, openLoop, orZeros, outputsOf, withAxis, wrongOperands } from './closed-graphs.ts'
import { operandType, refuse } from './operand-checks.ts'
import { stack } from './rule-parts.ts'

type While = ParamsOf['while']

/** Values and tangents in one loop. */
const forward = ({ b, args, tangents, params, kit, walk }: JvpContext<While>): readonly Linear[] => {
  const carries = params.body.outputs.length
  const { opened, active } = openLoop(kit, walk, params.body, carries, tangents.map(isSome))
  const { inputs, moved, outputs } = opened
  const own = active.slice(0, carries)
  const rest = active.slice(carries)
  const all = [
    ...inputs.slice(0, carries),
    ...chosen(moved.slice(0, carries), own),
    ...inputs.slice(carries),
    ...chosen(moved.slice(carries), rest),
  ] as Graph['inputs']
  const next = chosen(
    outputs.map((n, i) => orZeros(b, opened.tangents[i], n)),
    own,
  )
  const body = kit.close({ inputs: all, outputs: [...outputs, ...next] })
  const condition = kit.close({ inputs: all, outputs: kit.instantiate(params.condition, inputs) })
  const operands = [
    ...args.slice(0, carries),
    ...chosen(
      args.slice(0, carries).map((x, i) => orZeros(b, tangents[i], x)),
      own,
    ),
    ...args.slice(carries),
    ...chosen(tangents.slice(carries), rest).filter(isSome),
  ]
  const made = outputsOf(b, b.while(operands, { ...params, body, condition }), body.outputs.length)
  let at = carries
  return own.map((a) => (a ? made[at++] : undefined))
}

/** Which carries and whether the condition differ between examples, and the graphs of a turn of all of them. */
const batchedTurn = ({ batched, size, params, walk }: BatchContext<While>) => {
  const carries = params.body.outputs.length
  let flags = batched
  for (;;) {
    const condition = walk(params.condition, flags, size)
    const body = walk(params.body, flags, size)
    // An example that is done stands still while others go on: then every carry is its own.
    const many = condition.batched[0]!
    const next = flags.map((f, i) => f || (i < carries && (many || body.batched[i]!)))
    if (next.every((f, i) => f === flags[i])) return { condition, body, flags, many }
    flags = next
  }
}

/** Operands as `while` of ir.ts says → the carries when the condition first fails. */
export const whileRow: Primitive<While> = {
  infer: (xs, { condition, body, chunk }) => {
    if (!(Number.isInteger(chunk) && chunk > 0)) return refuse(`a chunk is a positive number of turns, not ${chunk}`)
    if (chunk > lastCount) return refuse(`a chunk has at most ${lastCount} turns, not ${chunk}`)
    const bad = wrongOperands(xs, condition) ?? wrongOperands(xs, body)
    if (bad) return bad
    const test = condition.outputs.map(operandType)
    if (test.length !== 1 || showOperand(test[0]!) !== 'bool[]')
      return refuse(`the condition gives ${test.map(showOperand).join(', ')}, not bool[]`)
    const types = body.outputs.map(operandType)
    const at = types.findIndex((t, i) => showOperand(t) !== showOperand(xs[i]!))
    return at < 0
      ? E.right(types)
      : refuse(
          `carry ${at} is ${showOperand(xs[at]!)} and becomes ${showOperand(types[at]!)}`,
          undefined,
          'a carried value keeps its shape and dtype from turn to turn',
        )
  },
  jvp: (c) =>
    c.mode === 'forward'
      ? forward(c)
      : raise({
          tag: 'UsageError',
          message: 'T.whileLoop has no reverse mode without a bound: how much it would have to keep is not known',
          hint: 'give maxIterations, or use jvp or jacfwd',
        }),
  transpose: 'nonlinear',
  batch: (c) => {
    const { b, args, batched, size, params, kit } = c
    const carries = params.body.outputs.length
    const { condition, body, flags, many } = batchedTurn(c)
    const outputs = body.graph.outputs.map((n, i) => (flags[i] ? withAxis(b, [n], [body.batched[i]!], size)[0]! : n))
    const test = kit.instantiate(condition.graph, body.graph.inputs)[0]!
    const turn = many
      ? outputs.map((n, i) => {
          const { shape } = operandType(n)
          const axes = shape.flatMap((_, a) => (a === 0 ? [] : [a]))
          const goes: Node = axes.length === 0 ? test : b.broadcast([test], { shape, axes })
          return b.select([goes, n, body.graph.inputs[i]!], {})
        })
      : outputs
    const any = many
      ? b.reduce([condition.graph.outputs[0]!], { monoid: 'any', axes: [0] })
      : condition.graph.outputs[0]!
    const operands = args.map((x, i) => (flags[i] && !batched[i] ? stack(b, x, size) : x))
    const node = b.while(operands, {
      ...params,
      condition: kit.close({ inputs: condition.graph.inputs, outputs: [any] }),
      body: kit.close({ inputs: body.graph.inputs, outputs: turn }),
    })
    return outputsOf(b, node, carries).map((n, i) => (flags[i] ? n : stack(b, n, size)))
  },
  eval: (xs, { condition, body }, types, run) => {
    const rest = xs.slice(types.length)
    let carried: readonly Value[] = xs.slice(0, types.length)
    while (run(condition, [...carried, ...rest])[0]!.data[0] !== 0) carried = run(body, [...carried, ...rest])
    return carried.map((v) => v.data)
  },
}
