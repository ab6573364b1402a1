/** Ops of a user's own: a WGSL function applied element by element, and a whole WGSL kernel. */
import * as E from '#fp/Either'
import { build, illTyped, typeOf } from '../../build.ts'
import { sizeOf } from '../../dim.ts'
import { isPacked } from '../../dtype.ts'
import { raise, showOperand } from '../../errors.ts'
import type { NamedType, Node, ParamsOf, TensorType } from '../../ir.ts'
import { type Operand, type Tensor, tensorOf } from '../../types/tensor.ts'
import { defineFunction, defineKernel, type KernelValue, type Slope } from '../../user-ops.ts'
import { checkText, signatureOf } from '../../wgsl-text.ts'
import { demandFunction, demandList, demandRecord, type OptionNames, showArgument } from '../arguments.ts'
import { castNode, expandNode, isIll, jointShape, lift, refuse, scalar, withTypes } from '../operand.ts'

const undefinedText = (caller: string, name: string, signature: string): never =>
  raise({
    tag: 'UsageError',
    message: `${caller}: the text of ${name} has no function '${signature}'`,
    hint: 'it needs one of the name of the op, whose parameters and result are scalars; it may call others',
  })

/** A function of numbers as an op. */
export interface ElementwiseDefinition<A extends readonly number[]> {
  /** The name of the op and of its function in the text. */
  readonly name: string
  /** WGSL: `fn name(x: f32, …) -> f32` and what it calls. Scalars are f32, i32, u32, bool or f16. It must end for every operand. */
  readonly wgsl: string
  /** The same function of numbers (bool is 0 or 1), in Float64. */
  readonly reference: (...xs: A) => number | boolean
  /** ∂y/∂x for each operand x, from the operands and the result; undefined where it is zero. */
  readonly derivatives?: (xs: readonly Tensor[], y: Tensor) => readonly Slope[]
  /** How far the WGSL may be from the reference, in units of the last place; 8 unless said. Only tests look at it. */
  readonly ulp?: number
}

const elementwiseParts: OptionNames<ElementwiseDefinition<readonly number[]>> = {
  name: 'must own',
  wgsl: 'must own',
  reference: 'must own',
  derivatives: 'own',
  ulp: 'positive',
}

/** UsageError unless the name and the text of an op are strings. */
const demandText = (caller: string, { name, wgsl }: { readonly name: unknown; readonly wgsl: unknown }): void => {
  for (const [part, x] of Object.entries({ name, wgsl }))
    if (typeof x !== 'string')
      raise({ tag: 'UsageError', message: `${caller}: ${part} is ${showArgument(x)}, not a string` })
}

/** One operand for each parameter of the reference. */
type Operands<A extends readonly number[]> = { readonly [K in keyof A]: Operand }

/**
 * An op from a WGSL function of scalars. It is applied element by element, its operands broadcast, and fuses like any
 * arithmetic; `vmap` maps it. Tensors must have the dtypes of the parameters, numbers adopt them. Differentiating it is a
 * UsageError unless `derivatives` are given. What the text declares gets names of its own, so it cannot clash; an error in
 * it is a ValidationError when a program is loaded. Defined again with another text, it is another op from then on; what was
 * made before keeps the text it was made with. UsageError where the function is not in the text, or a kernel has its name.
 * @example
 * const softsign = T.elementwise({
 *   name: 'softsign',
 *   wgsl: 'fn softsign(x: f32) -> f32 { return x / (1.0 + abs(x)); }',
 *   reference: (x: number) => x / (1 + Math.abs(x)),
 *   derivatives: ([x]) => [T.div(1, T.square(T.add(T.abs(x!), 1)))],
 * })
 * const x = T.tensor([-1, 0, 3], { dtype: 'f32' })
 * T.reference(softsign(x)).data // => [-0.5, 0, 0.75]
 * T.reference(T.grad((y: T.Tensor) => T.sum(softsign(y)))(x)).data // => [0.25, 1, 0.0625]
 */
export const elementwise = <A extends readonly number[]>(
  definition: ElementwiseDefinition<A>,
): ((...operands: Operands<A>) => Tensor) => {
  demandRecord('elementwise', elementwiseParts, definition, 'part')
  demandText('elementwise', definition)
  const { name, wgsl, reference, derivatives, ulp = 8 } = definition
  demandFunction('elementwise', 'reference', reference, 'numbers')
  if (derivatives !== undefined)
    demandFunction('elementwise', 'derivatives', derivatives, 'the operands and the result')
  checkText('elementwise', name, wgsl)
  const signature = signatureOf(name, wgsl)
  if (!signature?.gives || signature.takes.length === 0)
    return undefinedText('elementwise', name, `fn ${name}(x: f32) -> f32`)
  const { takes, gives } = signature
  defineFunction(name, wgsl, { reference: (...xs) => reference(...(xs as unknown as A)), derivatives, ulp })
  const params: ParamsOf['elementwise'] = { name, wgsl, takes, gives }
  return (...operands) => {
    const given = operands as readonly Operand[]
    const nodes = given.map((x, i) =>
      typeof x === 'number' || typeof x === 'boolean' ? scalar(x, takes[i] ?? 'f32') : lift(name, x, i),
    )
    return tensorOf(
      withTypes(name, nodes, (types) => {
        if (nodes.length !== takes.length)
          return refuse(name, nodes, { reason: `takes ${takes.length} operands, got ${nodes.length}` })
        const at = types.findIndex((t, i) => t.dtype !== takes[i])
        if (at >= 0)
          return refuse(name, nodes, {
            reason: `operand ${at + 1} is ${types[at]!.dtype}, its parameter ${takes[at]}`,
            hint: `convert it with T.cast(x, '${takes[at]}')`,
          })
        const shape = jointShape(types.map((t) => t.shape))
        if (E.isLeft(shape)) return refuse(name, nodes, shape.left)
        return build.elementwise(
          nodes.map((n, i) => expandNode(castNode(n, takes[i]!), shape.right)),
          params,
        )
      }),
    )
  }
}

/** A tensor's shape and dtype. */
export interface KernelType {
  readonly shape: readonly number[]
  readonly dtype: 'f32' | 'i32' | 'u32' | 'bool' | 'f16'
}

/** A whole kernel as an op. */
export interface KernelDefinition<I extends readonly string[], O extends readonly string[]> {
  /** The name of the op and of its function in the text. */
  readonly name: string
  /** What the text calls its operands and results. */
  readonly inputs: I
  readonly outputs: O
  /** The types of the results, or in words why the operands do not fit. */
  readonly infer: (inputs: readonly KernelType[]) => readonly KernelType[] | string
  /**
   * WGSL: `fn name(workgroup: u32, local: u32)` and what it calls, run by `workgroupSize` invocations of each workgroup.
   * A tensor `x` is an array `x[i]` of its elements in row-major order (bool as u32), with the constants `x_size` and
   * `x_shape`; bindings, entry point and extensions are declared for it. Results hold anything at first: write them all.
   */
  readonly wgsl: string
  readonly workgroups: (inputs: readonly KernelType[], outputs: readonly KernelType[]) => number
  /** Invocations of a workgroup; 64 unless said. */
  readonly workgroupSize?: number
  /** The same function in JavaScript: all elements of each result. */
  readonly reference: (inputs: readonly KernelValue[]) => readonly ArrayLike<number>[]
  /**
   * Tangents of the results, linear in those of the operands; undefined where zero. Serves forward mode, and reverse mode
   * too where there is no vjp and it is made of ops that can be transposed (not of the kernel itself).
   */
  readonly jvp?: (xs: readonly Tensor[], ys: readonly Tensor[], dxs: readonly Tensor[]) => readonly Slope[]
  /** Cotangents of the operands from those of the results; undefined where zero. Serves reverse mode. */
  readonly vjp?: (xs: readonly Tensor[], ys: readonly Tensor[], cts: readonly Tensor[]) => readonly Slope[]
  /** How far a result may be from the reference, in units of the last place of its largest element; 16 unless said. */
  readonly ulp?: number
}

const kernelParts: OptionNames<KernelDefinition<readonly string[], readonly string[]>> = {
  name: 'must own',
  inputs: 'must own',
  outputs: 'must own',
  infer: 'must own',
  wgsl: 'must own',
  workgroups: 'must own',
  workgroupSize: 'own',
  reference: 'must own',
  jvp: 'own',
  vjp: 'own',
  ulp: 'positive',
}

type Tensors<N extends readonly string[]> = { readonly [K in keyof N]: Tensor }
type Results<O extends readonly string[]> = O extends readonly [string] ? Tensor : Tensors<O>

/** The parameters of a call, or why the operands do not fit. */
const callOf = (
  definition: KernelDefinition<readonly string[], readonly string[]>,
  types: readonly TensorType[],
): ParamsOf['kernel'] | string => {
  const { name, wgsl, inputs, outputs, workgroupSize = 64 } = definition
  if (types.length !== inputs.length) return `takes ${inputs.length} operands, got ${types.length}`
  const narrow = types.findIndex((t) => isPacked(t.dtype))
  if (narrow >= 0) return `${inputs[narrow]} is ${types[narrow]!.dtype}, which kernels do not compute with: cast it`
  const given = types as readonly KernelType[]
  const found = definition.infer(given)
  if (typeof found === 'string') return found
  const isWhole = (n: number): boolean => Number.isSafeInteger(n) && n >= 0
  if (found.length !== outputs.length) return `infer gives ${found.length} types for ${outputs.length} results`
  const odd = found.findIndex((t) => !t.shape.every(isWhole) || isPacked(t.dtype))
  if (odd >= 0) return `infer gives ${showOperand(found[odd]!)} for ${outputs[odd]}, which no result can be`
  const workgroups = definition.workgroups(given, found)
  if (!isWhole(workgroups)) return `workgroups gives ${workgroups}, which is no count`
  const named = (names: readonly string[], ts: readonly KernelType[]): readonly NamedType[] =>
    ts.map(({ shape, dtype }, i) => ({ name: names[i]!, shape, dtype }))
  if (workgroups === 0 && found.some((t) => sizeOf(t.shape) > 0)) return 'workgroups gives 0 for results with elements'
  return { name, wgsl, takes: named(inputs, given), gives: named(outputs, found), workgroups, workgroupSize }
}

/**
 * An op from a whole WGSL kernel with its own grid, bindings declared for it. It gives one tensor, or a list where
 * `outputs` names several. Operands are tensors of f32, i32, u32, bool or f16; `infer` refuses what does not fit with a
 * ShapeError. It is a dispatch of its own; where a result is empty, and so for all, nothing runs. Differentiating it is a
 * UsageError unless `jvp` or `vjp` is given; `vmap` runs it once an example. An error in the text is a ValidationError when
 * a program is loaded. It may be defined again, as `elementwise`. UsageError where the function is not in the text, the text
 * declares a tensor's name, or a function of numbers has the op's name.
 * @example
 * const reversed: (x: T.Tensor) => T.Tensor = T.customKernel({
 *   name: 'reversed',
 *   inputs: ['x'],
 *   outputs: ['y'],
 *   infer: ([x]) => (x!.shape.length === 1 ? [x!] : 'x must be a vector'),
 *   wgsl: `fn reversed(workgroup: u32, local: u32) {
 *     let i = workgroup * 64u + local;
 *     if i < x_size { y[i] = x[x_size - 1u - i]; }
 *   }`,
 *   workgroups: ([x]) => Math.ceil(x!.shape[0]! / 64),
 *   reference: ([x]) => [x!.data.toReversed()],
 *   jvp: (xs, ys, [dx]) => [reversed(dx!)],
 *   vjp: (xs, ys, [ct]) => [reversed(ct!)],
 * })
 * const x = T.tensor([1, 2, 3], { dtype: 'f32' })
 * const weighted = (y: T.Tensor) => T.sum(T.mul(reversed(y), T.tensor([1, 10, 100])))
 * T.reference(reversed(x)).data // => [3, 2, 1]
 * T.reference(T.grad(weighted)(x)).data // => [100, 10, 1]
 */
export const customKernel = <const I extends readonly string[], const O extends readonly string[]>(
  definition: KernelDefinition<I, O>,
): ((...operands: Tensors<I>) => Results<O>) => {
  demandRecord('customKernel', kernelParts, definition, 'part')
  demandText('customKernel', definition)
  const { name, wgsl, inputs, outputs, reference, jvp, vjp, ulp = 16, workgroupSize = 64 } = definition
  for (const names of [inputs, outputs]) demandList('customKernel', names, 'names', "inputs: ['x'], outputs: ['y']")
  for (const part of ['infer', 'workgroups', 'reference', 'jvp', 'vjp'] as const)
    if (definition[part] !== undefined) demandFunction('customKernel', part, definition[part], 'what its type says')
  checkText('customKernel', name, wgsl, [...inputs, ...outputs])
  const signature = signatureOf(name, wgsl)
  if (`${signature?.takes}` !== 'u32,u32' || signature?.gives)
    return undefinedText('customKernel', name, `fn ${name}(workgroup: u32, local: u32)`)
  if (outputs.length === 0 || !Number.isInteger(workgroupSize) || workgroupSize < 1)
    return raise({
      tag: 'UsageError',
      message: `customKernel: ${name} has ${outputs.length} outputs and a workgroupSize of ${workgroupSize}`,
      hint: 'it needs one output or more, and a workgroup of one invocation or more',
    })
  defineKernel(name, wgsl, { reference, jvp, vjp, ulp })
  return (...operands) => {
    const nodes = (operands as readonly Tensor[]).map((x, i) => lift(name, x, i))
    const made = calledOn(name, nodes, definition)
    if (outputs.length === 1) return tensorOf(made) as Tensor as Results<O>
    const results = outputs.map((_, index) => tensorOf(isIll(made) ? made : build.get([made], { index })))
    return results as unknown as Results<O>
  }
}

const calledOn = (
  name: string,
  nodes: readonly Node[],
  definition: KernelDefinition<readonly string[], readonly string[]>,
): Node => {
  if (nodes.some(isIll)) return illTyped(name, nodes, { reason: '' })
  const params = callOf(definition, nodes.map(typeOf))
  return typeof params === 'string' ? refuse(name, nodes, { reason: params }) : build.kernel(nodes, params)
}
