/**
 * Distributions with parameters, all called alike: a key, a shape, and the parameters in a record. They are numbers or
 * tensors, drawn from as f32 of the shape.
 */
import * as E from '#fp/Either'
import type { Shape } from '../../dim.ts'
import type { DType } from '../../dtype.ts'
import { raise } from '../../errors.ts'
import type { Node } from '../../ir.ts'
import { isRecord, isTensor } from '../../tree.ts'
import { nodeOf, type Operand, type Tensor, tensorOf } from '../../types/tensor.ts'
import { demandBetween, demandRecord, demandShape, type Names, type OptionNames, showArgument } from '../arguments.ts'
import { castNode, jointShape, lift, refuse, scalar, withTypes } from '../operand.ts'
import { broadcastNode } from '../shape/reshaping.ts'
import { withKey } from './keys.ts'

/** Parameters, which may be left out where each of them may be. */
type Given<Parameters> = object extends Parameters ? [parameters?: Parameters] : [parameters: Parameters]

/** A distribution as it is called. The shape may be left out: it is then that of the parameters. */
export interface Distribution<Parameters, D extends DType> {
  <const S extends Shape>(k: Tensor, shape: S, ...parameters: Given<Parameters>): Tensor<S, D>
  (k: Tensor, ...parameters: Given<Parameters>): Tensor<Shape, D>
}

/** A distribution of lines or planes, whose shape is longer than the one that is given. */
export interface DistributionOfLines<Parameters, D extends DType> {
  (k: Tensor, shape: Shape, parameters: Parameters): Tensor<Shape, D>
  (k: Tensor, parameters: Parameters): Tensor<Shape, D>
}

/** What stands where the shape should: parameters in another order, as other libraries have them. */
const notAShape = (name: string, names: Names, x: unknown): never =>
  raise({
    tag: 'UsageError',
    message: `${name}: ${showArgument(x)} stands where the shape is needed`,
    hint: `write ${name}(key, shape, { ${Object.keys(names).join(', ')} })`,
  })

/** The shape, where it is given, and the parameters of a call. */
export const readCall = <P>(
  name: string,
  names: OptionNames<P>,
  args: readonly unknown[],
): { readonly shape: Shape | undefined; readonly parameters: P } => {
  const [first, second] = args
  const isShort = second === undefined && (first === undefined || (isRecord(first) && !isTensor(first)))
  if (!isShort && !Array.isArray(first)) return notAShape(name, names, first)
  const given = isShort ? first : second
  demandRecord(name, names, given)
  return { shape: isShort ? undefined : demandShape(name, first), parameters: (given ?? {}) as P }
}

/** UsageError for a number that is no probability; what a tensor holds is for the distribution to answer. */
export const demandChance = (name: string, p: Operand | undefined): void => {
  if (typeof p === 'number') demandBetween(name, 'the probability', p, 0, 1)
}

/** A parameter as f32. */
export const parameterNode = (name: string, x: Operand, position: number): Node =>
  typeof x === 'object' ? castNode(lift(name, x, position), 'f32') : scalar(x, 'f32')

/** `body` on the parameters, broadcast to `shape` or else to each other, and the words of the key. */
export const withParameters = <S extends Shape, D extends DType>(
  name: string,
  k: Tensor,
  shape: Shape | undefined,
  parameters: readonly Operand[],
  body: (parameters: readonly Node[], high: Node, low: Node) => Node,
): Tensor<S, D> =>
  withKey(name, k, shape ?? [], (high, low) => {
    const given = parameters.map((p, i) => parameterNode(name, p, i + 1))
    return withTypes(name, given, (types) => {
      const joint = shape ? E.right(shape) : jointShape(types.map((t) => t.shape))
      if (E.isLeft(joint)) return refuse(name, given, joint.left)
      const spread = given.map((n, i) => broadcastNode(name, n, types[i]!, joint.right))
      return withTypes(name, spread, () => body(spread, high, low))
    })
  })

/** The distribution of numbers `body` of parameters that `names` lists in this order; `check` sees them first. */
export const distribution = <P extends { readonly [K in keyof P]?: Operand | undefined }, D extends DType>(
  name: string,
  names: OptionNames<P>,
  defaults: Partial<P>,
  body: (parameters: readonly Node[], high: Node, low: Node) => Node,
  check: (parameters: P) => void = () => {},
): Distribution<P, D> =>
  ((k: Tensor, ...args: readonly unknown[]): Tensor<Shape, D> => {
    const call = readCall(name, names, args)
    const given = (Object.keys(names) as (keyof P)[]).map(
      (key) => [key, call.parameters[key] ?? defaults[key]] as const,
    )
    check(Object.fromEntries(given) as P)
    const list = given.map(([, parameter]) => parameter as Operand)
    return withParameters(name, k, call.shape, list, body)
  }) as Distribution<P, D>

/**
 * `body` on the whole shape of what is drawn along the lines of a parameter: the shape that is given, or the parameter's
 * leading axes, and the length of a line. ShapeError for a parameter without lines.
 */
export const onLines = <D extends DType>(
  name: string,
  parameter: Tensor,
  what: string,
  shape: Shape | undefined,
  body: (full: Shape) => Tensor,
): Tensor<Shape, D> => {
  const n = lift(name, parameter, 1)
  return tensorOf(
    withTypes(name, [n], ([type]) => {
      const length = type!.shape.at(-1)
      return length === undefined
        ? refuse(name, [n], { reason: `${what} is a scalar, which has no axis to draw along`, hint: 'give a vector' })
        : nodeOf(body([...(shape ?? type!.shape.slice(0, -1)), length]))
    }),
  )
}
