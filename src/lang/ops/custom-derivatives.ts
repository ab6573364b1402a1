/** Rows of functions with derivatives of their own: customCall, and customLinear, the linear part of one without a forward rule. */
import * as E from '#fp/Either'
import { isFloat } from '../dtype.ts'
import { raise } from '../errors.ts'
import type { Graph, ParamsOf } from '../ir.ts'
import type { BatchContext, JvpContext, Linear, Primitive } from '../primitive.ts'
import { chosen, isSome, openTangents, outputsOf, withAxis, wrongOperands } from './closed-graphs.ts'
import { operandType, refuse } from './operand-checks.ts'
import { stack, zeros, zerosLike } from './rule-parts.ts'

type Call = ParamsOf['customCall']
type LinearCall = ParamsOf['customLinear']

const noForwardMode = (): never =>
  raise({
    tag: 'UsageError',
    message: 'a function with customVjp has no forward mode: it only says how to pull cotangents back',
    hint: 'use grad, vjp or jacrev, or give the function a customJvp, which serves both modes',
  })

/** The forward mode of a checkpoint: that of the function itself. */
const tangentsOfCall = ({ args, tangents, params: { call }, kit, walk }: JvpContext<Call>): readonly Linear[] => {
  const active = tangents.map(isSome)
  const { inputs, moved, tangents: found } = openTangents(kit, walk, call, active)
  const placed = kit.substitute(
    found.filter(isSome),
    [...inputs, ...chosen(moved, active)],
    [...args, ...tangents.filter(isSome)],
  )
  let next = 0
  return found.map((t) => t && placed[next++]!)
}

/**
 * The backward graph of a batch. Cotangents of the outputs all have the axis; that of an argument has it where the
 * argument has (`wanted`): one that all examples share collects what they send back.
 */
const batchBackward = (
  { b, size, kit, walk }: BatchContext<unknown>,
  backward: Graph,
  residuals: readonly boolean[],
  wanted: (i: number) => boolean,
): Graph => {
  const flags = backward.inputs.map((_, i) => residuals[i] ?? true)
  const { graph, batched } = walk(backward, flags, size)
  const outputs = graph.outputs.map((n, i) => {
    if (wanted(i)) return batched[i] ? n : stack(b, n, size)
    if (!batched[i]) return n
    const { shape, dtype } = operandType(n)
    return isFloat(dtype) ? b.reduce([n], { monoid: 'sum', axes: [0] }) : zeros(b, { shape: shape.slice(1), dtype })
  })
  return kit.close({ inputs: graph.inputs, outputs })
}

/** The rules of a batch of calls. */
const batchRules = (c: BatchContext<Call>): readonly Graph[] => {
  const { b, batched, size, params, kit, walk } = c
  const count = params.call.outputs.length
  const own = batched.length - params.captured
  if (params.kind === 'jvp') {
    const { graph, batched: flags } = walk(params.rules[0]!, [...batched, ...batched.slice(0, own)], size)
    return [kit.close({ inputs: graph.inputs, outputs: withAxis(b, graph.outputs, flags, size) })]
  }
  const forward = walk(params.rules[0]!, batched, size)
  const { inputs, outputs } = forward.graph
  const values = withAxis(b, outputs.slice(0, count), forward.batched, size)
  const residuals = forward.batched.slice(count)
  return [
    kit.close({ inputs, outputs: [...values, ...outputs.slice(count)] }),
    batchBackward(c, params.rules[1]!, residuals, (i) => batched[i]!),
  ]
}

/** The outputs of `call` on the operands. Differentiated by `rules`; instantiated once all derivatives are taken. */
export const customCall: Primitive<Call> = {
  infer: (xs, { call }) => wrongOperands(xs, call) ?? E.right(call.outputs.map(operandType)),
  jvp: (c) => {
    const { b, args, tangents, params, kit, mode } = c
    const own = args.length - params.captured
    if (tangents.slice(own).some(isSome))
      raise({
        tag: 'UsageError',
        message: `${params.kind === 'jvp' ? 'customJvp' : 'customVjp'}: the function uses a tensor from outside that is being differentiated`,
        hint: 'its rule knows only the arguments: pass the tensor as one, or use T.stopGradient on it',
      })
    if (params.kind === 'jvp') {
      const given = args.slice(0, own).map((x, i) => tangents[i] ?? zerosLike(b, x))
      return kit.instantiate(params.rules[0]!, [...args, ...given])
    }
    if (mode === 'forward') return params.kind === 'vjp' ? noForwardMode() : tangentsOfCall(c)
    const types = params.call.outputs.map(operandType)
    const residuals = kit.instantiate(params.rules[0]!, args).slice(types.length)
    const wrt = args.flatMap((_, i) => (tangents[i] ? [i] : []))
    const linear = b.customLinear([...residuals, ...tangents.filter(isSome)], {
      backward: params.rules[1]!,
      residuals: residuals.length,
      wrt,
      types,
    })
    return outputsOf(b, linear, types.length)
  },
  transpose: 'nonlinear',
  batch: (c) => {
    const { b, args, batched, size, params, kit, walk } = c
    const found = walk(params.call, batched, size)
    const outputs = withAxis(b, found.graph.outputs, found.batched, size)
    const call = kit.close({ inputs: found.graph.inputs, outputs })
    return outputsOf(b, b.customCall(args, { ...params, call, rules: batchRules(c) }), outputs.length)
  },
  eval: (xs, { call }, _types, run) => run(call, xs).map((v) => v.data),
}

/** What only `backward` knows how to transpose. It has no value of its own, and no tangent. */
export const customLinear: Primitive<LinearCall> = {
  infer: (xs, { residuals, wrt, types }) =>
    xs.length === residuals + wrt.length
      ? E.right(types)
      : refuse(`takes ${residuals + wrt.length} operands, got ${xs.length}`),
  jvp: noForwardMode,
  transpose: ({ b, cts, args, params: { backward, residuals, wrt, types }, kit }) => {
    const given = types.map((t, i) => cts[i] ?? zeros(b, t))
    const found = kit.instantiate(backward, [...args.slice(0, residuals), ...given])
    return args.map((_, i) => (i < residuals ? undefined : found[wrt[i - residuals]!]))
  },
  batch: (c) => {
    const { b, args, batched, size, params } = c
    const { backward, residuals, wrt } = params
    const wanted = (i: number): boolean => batched[residuals + wrt.indexOf(i)] ?? false
    const types = params.types.map(({ shape, dtype }) => ({ shape: [size, ...shape], dtype }))
    const batchedBackward = batchBackward(c, backward, batched.slice(0, residuals), wanted)
    return outputsOf(b, b.customLinear(args, { ...params, backward: batchedBackward, types }), types.length)
  },
  eval: noForwardMode,
}
