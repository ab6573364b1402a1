/** What the structural rows share: reading an operand's type inside a rule, and refusing operands with a reason. */
import * as E from '#fp/Either'
import { lastCount } from '../dtype.ts'
import { type Refusal, raise } from '../errors.ts'
import type { Node, TensorType } from '../ir.ts'

/** The type of a well-typed node's first output. `build.ts` has the public twin; rows cannot import it without a cycle. */
export const operandType = (n: Node): TensorType => (E.isLeft(n.type) ? raise(n.type.left) : n.type.right[0]!)

/** A Left for `infer`: the reason, and where they help the axis and the way out. */
export const refuse = (reason: string, axis?: number, hint?: string): E.Either<Refusal, never> =>
  E.left({ reason, ...(axis === undefined ? {} : { axis }), ...(hint === undefined ? {} : { hint }) })

/** `1 operand`, `2 operands`: a count with its noun. */
export const plural = (n: number, noun: string, many: string = `${noun}s`): string => `${n} ${n === 1 ? noun : many}`

/** Why the operand count is wrong, or undefined. */
export const wrongCount = (xs: readonly unknown[], n: number): E.Either<Refusal, never> | undefined =>
  xs.length === n ? undefined : refuse(`takes ${plural(n, 'operand')}, got ${xs.length}`)

/** Why `axes` is not a set of axes of a rank-`rank` tensor (out of range, or listed twice), or undefined. */
export const wrongAxes = (axes: readonly number[], rank: number): E.Either<Refusal, never> | undefined => {
  for (const [i, a] of axes.entries()) {
    if (!Number.isInteger(a) || a < 0 || a >= rank) return refuse(`axis ${a} is out of range for rank ${rank}`, a)
    if (axes.indexOf(a) !== i) return refuse(`axis ${a} is listed twice`, a)
  }
  return undefined
}

/** Why a per-axis parameter list does not have one entry per axis, or undefined. */
export const wrongLength = (
  name: string,
  list: readonly number[],
  rank: number,
): E.Either<Refusal, never> | undefined =>
  list.length === rank ? undefined : refuse(`${name} has ${plural(list.length, 'entry', 'entries')} for rank ${rank}`)

/** Why positions along `axis` are no i32, or undefined. */
export const wrongPositions = (shape: readonly number[], axis: number): E.Either<Refusal, never> | undefined =>
  shape[axis]! - 1 <= lastCount
    ? undefined
    : refuse(`axis ${axis} of size ${shape[axis]} has positions past i32`, axis, 'split the axis')
