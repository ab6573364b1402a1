/** `checkpoint`: a function whose backward pass computes it again instead of keeping what it computed on the way. */
import { build, freshInputs, typeOf } from '../../src/lang/build.ts'
import { closeParts } from '../../src/lang/closed-parts.ts'
import { isFloat } from '../../src/lang/dtype.ts'
import type { Graph } from '../../src/lang/ir.ts'
import { demandFunction } from '../../src/lang/tensor/arguments.ts'
import { closeGraph, instantiate, substitute } from '../../src/lang/trace.ts'
import { calledOn, callTree } from './custom.ts'
import { zeros } from './linear-map.ts'
import { linearise } from './linearise.ts'
import { transpose } from './transpose.ts'

/**
 * The cotangents of all inputs of `call` from those inputs and the cotangents of its outputs. What the derivative needs
 * of the values in between is computed again, on barriers that wait for the cotangents: so it is neither the first
 * computation once more nor done before the backward pass gets here.
 */
const recomputing = (call: Graph): Graph => {
  const inputs = freshInputs(call.inputs.map((n) => n.params))
  const { tangents, inputs: moved } = linearise({ inputs, outputs: instantiate(call, inputs) })
  const cotangents = freshInputs(call.outputs.map(typeOf))
  const wrt = moved.filter((n) => n !== undefined)
  const pulled = transpose(
    tangents,
    wrt,
    cotangents.map((ct) => (isFloat(ct.params.dtype) ? ct : undefined)),
  )
  const found = inputs.map((n, i) => {
    const at = moved[i] ? wrt.indexOf(moved[i]) : -1
    return pulled[at] ?? zeros(n.params)
  })
  const kept = freshInputs(inputs.map((n) => n.params))
  const when = cotangents.filter((ct) => isFloat(ct.params.dtype))
  const late = kept.map((n) => build.barrier([n, ...when], {}))
  return closeGraph({ inputs: [...kept, ...cotangents], outputs: substitute(found, inputs, late) }).graph
}

/**
 * `f` with less memory in reverse mode (jax.checkpoint, torch.utils.checkpoint): a gradient keeps its arguments and
 * computes the values in between again when the backward pass needs them. Same values, same derivatives in both modes and
 * to any order; what `f` uses from outside is differentiated too. Arguments and result are trees of tensors.
 * @example
 * const layer = T.checkpoint((x: T.Tensor<readonly [2], 'f32'>) => T.sin(T.exp(x)))
 * T.reference(T.grad((x: T.Tensor<readonly [2], 'f32'>) => T.sum(layer(x)))(T.tensor([0.5, -1]))).data // => [-0.128347, 0.343265]
 */
export const checkpoint = <A extends readonly unknown[], R>(f: (...args: A) => R): ((...args: A) => R) => {
  demandFunction('checkpoint', 'the first argument', f)
  return (...args) => {
    const called = calledOn(f as never, args)
    if (called === undefined) return f(...args)
    const { parts, captures, captured } = closeParts([called.graph])
    const inputs = [...parts[0]!.inputs, ...captures]
    const { outputs } = parts[0]!
    const call = closeGraph({ inputs, outputs }).graph
    const saving = closeGraph({ inputs, outputs: [...outputs, ...inputs] }).graph
    // Captures are operands like the arguments: the rule says how to pull cotangents back to them too.
    const params = { kind: 'checkpoint', call, rules: [saving, recomputing(call)], captured: 0 } as const
    return callTree(params, [...called.operands, ...captured], called.result.shape) as R
  }
}
