/** The rows of ops that users define: a function of numbers, and a whole kernel. Their rules are looked up by name. */
import * as E from '#fp/Either'
import { sizeOf } from '../dim.ts'
import { allocate, type HostArray, isFloat } from '../dtype.ts'
import { raise, showOperand } from '../errors.ts'
import type { Build, Node, ParamsOf, TensorType } from '../ir.ts'
import type { JvpContext, Linear, Primitive, Value } from '../primitive.ts'
import { type Tensor, tensorOf } from '../types/tensor.ts'
import { functionRules, type KernelRules, kernelRules, type Slope } from '../user-ops.ts'
import { operandType, plural, refuse, wrongCount } from './operand-checks.ts'
import { batchPointwise, sum, wrongShapes } from './pointwise.ts'
import { zeros, zerosLike } from './rule-parts.ts'

type UserFunction = ParamsOf['elementwise']
type UserKernel = ParamsOf['kernel']

/** A rule's tensor as a node of the type it must have; UsageError that says whose rule it is. */
const checked = (op: string, rule: string, slope: Slope, type: TensorType): Linear => {
  if (slope === undefined) return undefined
  const n = slope as unknown as Node
  const given = showOperand(operandType(n))
  if (given === showOperand(type)) return n
  return raise({
    tag: 'UsageError',
    message: `${op}: its ${rule} gives ${given} for a tensor of ${showOperand(type)}`,
    hint: 'a rule gives one tensor of the same type for each, or undefined for zero',
  })
}

/** A rule's answers, as many as `types`. */
const answers = (
  op: string,
  rule: string,
  slopes: readonly Slope[],
  types: readonly TensorType[],
): readonly Linear[] => {
  if (slopes.length !== types.length)
    raise({
      tag: 'UsageError',
      message: `${op}: its ${rule} gives ${plural(slopes.length, 'tensor')}, not ${types.length}`,
      hint: 'a rule gives one tensor of the same type for each, or undefined for zero',
    })
  return slopes.map((s, i) => checked(op, rule, s, types[i]!))
}

const asTensors = (ns: readonly Node[]): readonly Tensor[] => ns.map((n) => tensorOf(n))

const noDerivative = (op: string, what: string): never =>
  raise({
    tag: 'UsageError',
    message: `${op} is differentiated and was defined without ${what}`,
    hint: `say what its derivative is when you define it, or use T.stopGradient on its operands`,
  })

/** `fn name` of one element of every operand. All operands have one shape and the dtypes of its parameters. */
export const elementwise: Primitive<UserFunction> = {
  infer: (xs, { takes, gives }) => {
    const bad = wrongCount(xs, takes.length) ?? wrongShapes(xs)
    if (bad) return bad
    const at = xs.findIndex((x, i) => x.dtype !== takes[i])
    if (at >= 0)
      return refuse(
        `operand ${at + 1} must be ${takes[at]}, got ${xs[at]!.dtype}`,
        undefined,
        `convert it with T.cast(x, '${takes[at]}')`,
      )
    return E.right([{ shape: xs[0]!.shape, dtype: gives }])
  },
  jvp: ({ b, args, tangents, params, out }) => {
    if (!isFloat(params.gives)) return [undefined]
    const { derivatives } = functionRules(params)
    if (!derivatives) return noDerivative(params.name, 'derivatives')
    const slopes = derivatives(asTensors(args), tensorOf(out))
    const type = operandType(out)
    const partials = answers(
      params.name,
      'derivatives',
      slopes,
      args.map(() => type),
    )
    const terms = partials.map((p, i): Linear => p && tangents[i] && b.mul([tangents[i], p], {}))
    return [terms.reduce((x, y) => sum(b, x, y), undefined) ?? zerosLike(b, out)]
  },
  transpose: 'nonlinear',
  batch: batchPointwise((b: Build) => b.elementwise),
  eval: (xs, params, [type]) => {
    const { reference } = functionRules(params)
    const out = allocate(type!.dtype, xs[0]!.data.length)
    for (let i = 0; i < out.length; i++) out[i] = Number(reference(...xs.map((x) => x.data[i]!)))
    return [out]
  },
}

const outputsOf = (b: Build, n: Node, { gives }: UserKernel): readonly Node[] =>
  gives.length === 1 ? [n] : gives.map((_, index) => b.get([n], { index }))

/** The linear part of a kernel that can only pull cotangents back: `backward` of its operands, results and cotangents. */
const pulled = (c: JvpContext<UserKernel>, vjp: NonNullable<KernelRules['vjp']>): readonly Linear[] => {
  const { b, args, tangents, params, out, kit } = c
  const ys = outputsOf(b, out, params)
  const types = ys.map(operandType)
  const saved = [...args, ...ys]
  const inputs = kit.fresh([...saved.map(operandType), ...types])
  const [xs, rest] = [inputs.slice(0, args.length), inputs.slice(args.length)]
  const slopes = vjp(asTensors(xs), asTensors(rest.slice(0, ys.length)), asTensors(rest.slice(ys.length)))
  const outputs = answers(params.name, 'vjp', slopes, args.map(operandType)).map((n, i) => n ?? zerosLike(b, args[i]!))
  const wrt = args.flatMap((_, i) => (tangents[i] ? [i] : []))
  const linear = b.customLinear([...saved, ...tangents.filter((t) => t !== undefined)], {
    backward: kit.close({ inputs, outputs }),
    residuals: saved.length,
    wrt,
    types,
  })
  return outputsOf(b, linear, params).map((n, i) => (isFloat(types[i]!.dtype) ? n : undefined))
}

/** A user's kernel on operands of the types it was made for. */
export const kernel: Primitive<UserKernel> = {
  infer: (xs, { takes, gives }) => {
    const bad = wrongCount(xs, takes.length)
    if (bad) return bad
    const at = xs.findIndex((x, i) => showOperand(x) !== showOperand(takes[i]!))
    if (at >= 0) return refuse(`${takes[at]!.name} is ${showOperand(xs[at]!)}, not ${showOperand(takes[at]!)}`)
    return E.right(gives.map(({ shape, dtype }) => ({ shape, dtype })))
  },
  jvp: (c) => {
    const { b, args, tangents, params, out, mode } = c
    const { jvp, vjp } = kernelRules(params)
    if (!params.gives.some((t) => isFloat(t.dtype))) return params.gives.map(() => undefined)
    if (!jvp && !vjp) return noDerivative(params.name, 'jvp or vjp')
    if (vjp && mode === 'reverse') return pulled(c, vjp)
    if (!jvp) return noDerivative(params.name, 'a jvp, which forward mode needs')
    const ys = outputsOf(b, out, params)
    const dxs = args.map((x, i) => tangents[i] ?? zerosLike(b, x))
    const slopes = jvp(asTensors(args), asTensors(ys), asTensors(dxs))
    return answers(params.name, 'jvp', slopes, params.gives).map((n, i) =>
      isFloat(params.gives[i]!.dtype) ? n : undefined,
    )
  },
  transpose: 'nonlinear',
  // A kernel is written for one example: it runs once for each.
  batch: ({ b, args, batched, size, params, kit }) => {
    if (size === 0) return params.gives.map(({ shape, dtype }) => zeros(b, { shape: [0, ...shape], dtype }))
    const inputs = kit.fresh(params.takes)
    const inOrder = <A>(xs: readonly A[]): readonly A[] => [
      ...xs.filter((_, i) => batched[i]),
      ...xs.filter((_, i) => !batched[i]),
    ]
    const body = kit.close({ inputs: inOrder(inputs), outputs: outputsOf(b, b.kernel(inputs, params), params) })
    const slices = batched.filter((x) => x).length
    const all = b.scan(inOrder(args), { body, carries: 0, slices, length: size, reverse: false })
    return outputsOf(b, all, params)
  },
  eval: (xs, params, types) => runReference(xs, params, types),
}

/** What the reference gives, as arrays of the outputs' dtypes; UsageError where it gives other counts of elements. */
export const runReference = (
  xs: readonly Value[],
  params: UserKernel,
  types: readonly TensorType[],
): readonly HostArray[] => {
  const found = kernelRules(params).reference(xs.map((x) => ({ ...x, data: Float64Array.from(x.data) })))
  return params.gives.map(({ name }, i) => {
    const { shape, dtype } = types[i]!
    const out = allocate(dtype, sizeOf(shape))
    if (found[i]?.length !== out.length)
      raise({
        tag: 'UsageError',
        message: `${params.name}: its reference gives ${found[i]?.length ?? 'no'} elements for ${name}, which is ${showOperand(types[i]!)}`,
        hint: 'it gives one array of all elements, in row-major order, for each output',
      })
    out.set(found[i]!)
    return out
  })
}
