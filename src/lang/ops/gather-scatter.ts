/** Rows of gather (read rows of an axis by index) and scatterAdd (add rows at an index), transposes of each other. */
import * as E from '#fp/Either'
import { floorDiv, isDim, sizeOf } from '../dim.ts'
import { allocate, isInteger } from '../dtype.ts'
import { type Refusal, raise } from '../errors.ts'
import { indexHint } from '../index-hint.ts'
import type { Node, ParamsOf, TensorType } from '../ir.ts'
import type { BatchContext, Primitive, Value } from '../primitive.ts'
import { positionOf, showShape } from '../shape.ts'
import { operandType, refuse, wrongCount } from './operand-checks.ts'
import { batchedArgs } from './rule-parts.ts'

const wrongIndex = (index: TensorType): E.Either<Refusal, never> | undefined =>
  isInteger(index.dtype)
    ? undefined
    : refuse(`the index is ${index.dtype}, not an integer`, undefined, "convert it with T.cast(index, 'i32')")

const wrongBatch = (
  batch: number,
  x: TensorType,
  least: number,
  name: string,
): E.Either<Refusal, never> | undefined => {
  if (!isDim(batch)) return refuse(`batch ${batch} is not a number of axes`)
  return x.shape.length >= batch + least
    ? undefined
    : refuse(
        `${name} has rank ${x.shape.length}, needs at least ${batch + least}: ${batch} batch axes${least ? ' and the indexed one' : ''}`,
      )
}

const wrongLeading = (x: TensorType, y: TensorType, n: number): E.Either<Refusal, never> | undefined => {
  for (let a = 0; a < n; a++)
    if (x.shape[a] !== y.shape[a])
      return refuse(
        `leading axes differ: ${showShape(x.shape.slice(0, n))} and ${showShape(y.shape.slice(0, n))}`,
        a,
        'the batch axes (and for updates the index axes) must agree',
      )
  return undefined
}

/** Calls `visit(row of x, row of index)` for every index in row-major order; raises IndexError for one out of range. */
const forEachIndex = (
  op: string,
  index: Value,
  batch: number,
  size: number,
  visit: (target: number, source: number) => void,
): void => {
  const per = sizeOf(index.shape.slice(batch))
  const n = index.data.length
  for (let i = 0; i < n; i++) {
    const at = index.data[i]!
    if (at < 0 || at >= size)
      raise({
        tag: 'IndexError',
        op,
        index: at,
        size,
        position: positionOf(i, index.shape),
        hint: indexHint(op, size),
      })
    visit(floorDiv(i, per) * size + at, i)
  }
}

/** Moves axis `from` of `x` to the front. */
const toFront = <P>(b: BatchContext<P>['b'], x: Node, from: number): Node => {
  const rest = operandType(x).shape.map((_, i) => i)
  return b.permute([x], { axes: [from, ...rest.filter((a) => a !== from)] })
}

/**
 * x `[B…, n, C…]` of any dtype, integer index `[B…, I…]` → `[B…, I…, C…]`, with `batch` leading axes B. Linear in x; its
 * transpose is scatterAdd. Raises IndexError where an index is outside 0 … n-1.
 */
export const gather: Primitive<ParamsOf['gather']> = {
  infer: (xs, { batch }) => {
    const bad = wrongCount(xs, 2)
    if (bad) return bad
    const [x, index] = [xs[0]!, xs[1]!]
    return (
      wrongIndex(index) ??
      wrongBatch(batch, x, 1, 'the operand') ??
      wrongBatch(batch, index, 0, 'the index') ??
      wrongLeading(x, index, batch) ??
      E.right([{ shape: [...index.shape, ...x.shape.slice(batch + 1)], dtype: x.dtype }])
    )
  },
  jvp: ({ b, args, tangents: [dx], params }) => [dx && b.gather([dx, args[1]!], params)],
  transpose: ({ b, ct, args: [x, index], params: { batch } }) => [
    b.scatterAdd([index!, ct], { batch, size: operandType(x!).shape[batch]! }),
    undefined,
  ],
  batch: (c) => {
    const { b, args, batched, params } = c
    if (batched[0]) return [b.gather(batchedArgs(c), { batch: params.batch + 1 })]
    // x stays whole: the new axis counts as one more axis of the index, behind the batch axes it has.
    const axes = operandType(args[1]!).shape.map((_, i) => i)
    const before = axes.slice(1, params.batch + 1)
    const index =
      params.batch === 0 ? args[1]! : b.permute([args[1]!], { axes: [...before, 0, ...axes.slice(params.batch + 1)] })
    const out = b.gather([args[0]!, index], params)
    return [params.batch === 0 ? out : toFront(b, out, params.batch)]
  },
  eval: ([x, index], { batch }, [type]) => {
    const out = allocate(type!.dtype, sizeOf(type!.shape))
    const row = sizeOf(x!.shape.slice(batch + 1))
    forEachIndex('gather', index!, batch, x!.shape[batch]!, (target, source) => {
      for (let k = 0; k < row; k++) out[source * row + k] = x!.data[target * row + k]!
    })
    return [out]
  },
}

/**
 * Integer index `[B…, I…]`, numeric updates `[B…, I…, C…]` → `[B…, size, C…]`: zeros with every update added at its
 * index, in row-major order of the index; integers wrap. Linear in the updates; its transpose is gather. Raises
 * IndexError where an index is outside 0 … size-1.
 */
export const scatterAdd: Primitive<ParamsOf['scatterAdd']> = {
  infer: (xs, { batch, size }) => {
    const bad = wrongCount(xs, 2)
    if (bad) return bad
    const [index, updates] = [xs[0]!, xs[1]!]
    const rank = index.shape.length
    if (!isDim(size)) return refuse(`size ${size} is not a whole number of elements`)
    if (updates.dtype === 'bool')
      return refuse('cannot add bool updates', undefined, "convert them with T.cast(updates, 'i32')")
    if (updates.shape.length < rank)
      return refuse(
        `the updates have rank ${updates.shape.length}, the index ${rank}`,
        undefined,
        'the updates begin with all axes of the index',
      )
    return (
      wrongIndex(index) ??
      wrongBatch(batch, index, 0, 'the index') ??
      wrongLeading(index, updates, rank) ??
      E.right([{ shape: [...index.shape.slice(0, batch), size, ...updates.shape.slice(rank)], dtype: updates.dtype }])
    )
  },
  jvp: ({ b, args, tangents: [, dx], params }) => [dx && b.scatterAdd([args[0]!, dx], params)],
  transpose: ({ b, ct, args: [index], params: { batch } }) => [undefined, b.gather([ct, index!], { batch })],
  batch: (c) => [c.b.scatterAdd(batchedArgs(c), { ...c.params, batch: c.params.batch + 1 })],
  eval: ([index, updates], { batch, size }, [type]) => {
    const out = allocate(type!.dtype, sizeOf(type!.shape))
    const row = sizeOf(updates!.shape.slice(index!.shape.length))
    forEachIndex('scatterAdd', index!, batch, size, (target, source) => {
      for (let k = 0; k < row; k++) out[target * row + k]! += updates!.data[source * row + k]!
    })
    return [out]
  },
}
