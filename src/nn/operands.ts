/** What layers ask of their operands before they look at a shape, and of the shapes of their parameters. */
import { isRight } from '#fp/Either'
import type { Shape } from '../lang/dim.ts'
import { raise } from '../lang/errors.ts'
import { broadcastShapes, ShapeEq, showShape } from '../lang/shape.ts'
import { wayToTensor } from '../lang/strangers.ts'
import { demandRecord, type Names, showArgument } from '../lang/tensor/arguments.ts'
import { isMistake } from '../lang/tensor/ask.ts'
import { refuse } from '../lang/tensor/operand.ts'
import { isRecord, isTensor } from '../lang/tree.ts'
import { nodeOf, type Tensor, tensorOf } from '../lang/types/tensor.ts'

/** Operands by what they are called. */
type Operands = Readonly<Record<string, unknown>>

/**
 * The first operand that is a mistake, to be handed on as it is; those of `optional` may be absent. UsageError for one
 * that is no tensor.
 */
export const mistakeAmong = (name: string, operands: Operands, optional: Operands = {}): Tensor | undefined => {
  const given = {
    ...operands,
    ...Object.fromEntries(Object.entries(optional).filter(([, x]) => x !== undefined && x !== null)),
  }
  return Object.entries(given)
    .map(([what, x]) =>
      isTensor(x)
        ? x
        : raise({
            tag: 'UsageError',
            message: `${name}: ${what} is ${showArgument(x)}, not a tensor`,
            hint: wayToTensor(x),
          }),
    )
    .find(isMistake)
}

/** Parameters by name: each, where it is given, and the shape that it must have. */
type Shaped = Readonly<Record<string, readonly [given: Tensor | undefined, shape: Shape]>>

/** The refusal of the first parameter that has not the very shape it must have; `x` is what it meets. */
export const misshapen = (name: string, x: Tensor, parameters: Shaped, hint: string): Tensor | undefined => {
  const odd = Object.entries(parameters).find(([, [p, shape]]) => p && !ShapeEq.equals(p.shape, shape))
  if (!odd) return undefined
  const [what, [given, shape]] = odd
  return tensorOf(
    refuse(name, [nodeOf(x), nodeOf(given!)], {
      reason: `${what} has shape ${showShape(given!.shape)}, not ${showShape(shape)}`,
      hint,
    }),
  )
}

/** The refusal of the first of `given` that does not broadcast to the shape of `x`, but would spread it. */
export const overspread = (
  name: string,
  x: Tensor,
  given: Readonly<Record<string, Tensor | undefined>>,
  shape: Shape = x.shape,
): Tensor | undefined => {
  const fits = (p: Tensor): boolean => {
    const joint = broadcastShapes(p.shape, shape)
    return isRight(joint) && ShapeEq.equals(joint.right, shape)
  }
  const odd = Object.entries(given).find(([, p]) => p && !fits(p))
  if (!odd) return undefined
  const [what, p] = odd
  return tensorOf(
    refuse(name, [nodeOf(x), nodeOf(p!)], {
      reason: `${what} has shape ${showShape(p!.shape)}, which does not broadcast to ${showShape(shape)}`,
      hint: 'give one number for each element, or for each along some axes, the others of size 1',
    }),
  )
}

/**
 * UsageError unless `params` is a record of the parts that `parts` has, each of them a record of its own parameters. `of` is what
 * the parts belong to, where that is not the function itself.
 */
export const demandParts = (name: string, parts: Readonly<Record<string, Names>>, params: unknown, of = ''): void => {
  const entries = Object.entries(parts)
  const what = (part: string): string => `parameter${part === '' ? '' : ` of ${part}`}`
  demandRecord(name, Object.fromEntries(entries.map(([part]) => [part, 'must own'])), params, what(of))
  for (const [part, names] of entries)
    demandRecord(name, names, (params as Operands)[part], what(of === '' ? part : `${of}.${part}`))
}

/** The tensors of nested records by their paths: `conv1.weight`. */
export const namedTensors = (params: object): Operands =>
  Object.fromEntries(
    Object.entries(params).flatMap(([part, inner]) =>
      isRecord(inner)
        ? Object.entries(namedTensors(inner)).map(([path, x]) => [`${part}.${path}`, x])
        : [[part, inner]],
    ),
  )
