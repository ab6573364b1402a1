/** The arbitrary of shapes that go together: the operands of elementwise functions, each with axes of its own left out. */
import * as fc from 'fast-check'
import * as E from '#fp/Either'
import type { Shape } from '../lang/dim.ts'
import { invariant } from '../lang/errors.ts'
import { broadcastShapes } from '../lang/shape.ts'
import { demandBetween, demandRecord, type OptionNames } from '../lang/tensor/arguments.ts'
import { arbShape, type ShapeOptions } from './arbitrary.ts'

/** What `arbBroadcastable` may give. Rank and elements are those of the joint shape. */
export interface BroadcastableOptions extends ShapeOptions {
  /** How many shapes; 2 unless said. */
  readonly count?: number | undefined
}

const broadcastableOptions: OptionNames<BroadcastableOptions> = {
  count: 'count',
  maxRank: 'size',
  maxElements: 'size',
  empty: 'boolean',
}

/** Shapes that broadcast together, and the one shape that they broadcast to. */
export interface Broadcastable {
  readonly shapes: readonly Shape[]
  readonly joint: Shape
}

/** How one operand differs from the whole: leading axes that it lacks, and axes along which it is stretched. */
const arbPart = (whole: Shape): fc.Arbitrary<Shape> =>
  fc
    .record({
      lacks: fc.oneof(fc.constant(0), fc.nat(whole.length)),
      stretched: fc.array(fc.boolean(), { minLength: whole.length, maxLength: whole.length }),
    })
    .map(({ lacks, stretched }) => whole.map((d, i) => (stretched[i] ? 1 : d)).slice(lacks))

/** The shape of all parts together: no larger than what they were cut from, as an axis may be stretched in every one. */
const jointOf = (shapes: readonly Shape[]): Shape =>
  shapes.reduce((a, b) => {
    const both = broadcastShapes(a, b)
    invariant(E.isRight(both), 'parts of one shape broadcast together')
    return both.right
  }, [])

/**
 * Groups of `count` (2) shapes that broadcast together, with the shape that they broadcast to: some lack leading axes, some
 * have size 1 where others do not. `maxRank`, `maxElements` and `empty` hold for the joint shape, as in `arbShape`.
 * Shrinks to equal shapes, and to smaller ones.
 * @example
 * const groups = testing.arbBroadcastable({ count: 3, maxRank: 3 })
 * const sum = (shapes: readonly T.Shape[]) => shapes.map((s) => T.ones(s) as T.Tensor).reduce((x, y) => T.add(x, y))
 * const fits = fc.property(groups, ({ shapes, joint }) => sum(shapes).shape.join() === joint.join())
 * fc.assert(fits, { seed: 42 }) // => undefined
 */
export const arbBroadcastable = (options: BroadcastableOptions = {}): fc.Arbitrary<Broadcastable> => {
  demandRecord('arbBroadcastable', broadcastableOptions, options)
  const { count = 2, ...shape } = options
  demandBetween('arbBroadcastable', 'count', count, 1, 100)
  return arbShape(shape)
    .chain((whole) => fc.array(arbPart(whole), { minLength: count, maxLength: count, size: 'max' }))
    .map((shapes) => ({ shapes, joint: jointOf(shapes) }))
}
