/** Rows of the ops that only move elements about: reshape, permute, broadcast, flip; slice, pad, concat from `crop.ts`. */
import * as E from '#fp/Either'
import { isDim, sizeOf } from '../dim.ts'
import type { ParamsOf } from '../ir.ts'
import type { Primitive } from '../primitive.ts'
import { otherAxes, ShapeEq, showShape, stridesOf } from '../shape.ts'
import { operandType, plural, refuse, wrongAxes, wrongCount } from './operand-checks.ts'
import { stridedOffsets, take } from './strided.ts'

export { concat, pad, slice } from './crop.ts'

/** Same elements in row-major order under another shape of the same size. Any dtype. Its transpose is reshape back. */
export const reshape: Primitive<ParamsOf['reshape']> = {
  infer: (xs, { shape }) => {
    const bad = wrongCount(xs, 1)
    if (bad) return bad
    const x = xs[0]!
    const axis = shape.findIndex((d) => !isDim(d))
    if (axis >= 0) return refuse(`size ${shape[axis]} of axis ${axis} is not a whole number of elements`, axis)
    const [from, to] = [sizeOf(x.shape), sizeOf(shape)]
    return from === to
      ? E.right([{ shape, dtype: x.dtype }])
      : refuse(
          `cannot reshape ${plural(from, 'element')} ${showShape(x.shape)} into ${showShape(shape)} (${plural(to, 'element')})`,
          undefined,
          'the product of the sizes must stay the same; broadcast repeats elements, slice and pad change their number',
        )
  },
  jvp: ({ b, tangents, params }) => [tangents[0] && b.reshape([tangents[0]], params)],
  transpose: ({ b, ct, args }) => [b.reshape([ct], { shape: operandType(args[0]!).shape })],
  batch: ({ b, args, size, params }) => [b.reshape([args[0]!], { shape: [size, ...params.shape] })],
  eval: ([x]) => [x!.data.slice()],
}

/** The permutation that undoes `axes`. */
const inverse = (axes: readonly number[]): readonly number[] => axes.map((_, i) => axes.indexOf(i))

/** Axis i of the result is axis `axes[i]` of the operand. Any dtype. Its transpose is the inverse permutation. */
export const permute: Primitive<ParamsOf['permute']> = {
  infer: (xs, { axes }) => {
    const bad = wrongCount(xs, 1) ?? wrongAxes(axes, xs[0]!.shape.length)
    if (bad) return bad
    const { shape, dtype } = xs[0]!
    return axes.length === shape.length
      ? E.right([{ shape: axes.map((a) => shape[a]!), dtype }])
      : refuse(
          `axes [${axes.join(', ')}] name ${axes.length} of ${shape.length} axes`,
          undefined,
          'list every axis exactly once',
        )
  },
  jvp: ({ b, tangents, params }) => [tangents[0] && b.permute([tangents[0]], params)],
  transpose: ({ b, ct, params }) => [b.permute([ct], { axes: inverse(params.axes) })],
  batch: ({ b, args, params }) => [b.permute([args[0]!], { axes: [0, ...params.axes.map((a) => a + 1)] })],
  eval: ([x], { axes }, [type]) => {
    const strides = stridesOf(x!.shape)
    const moved = axes.map((a) => strides[a]!)
    return [take(type!, x!.data, stridedOffsets(type!.shape, moved))]
  },
}

/** Repeats the operand along the new axes `axes` of `shape`. Any dtype. Its transpose is the sum over those axes. */
export const broadcast: Primitive<ParamsOf['broadcast']> = {
  infer: (xs, { shape, axes }) => {
    const bad = wrongCount(xs, 1) ?? wrongAxes(axes, shape.length)
    if (bad) return bad
    const x = xs[0]!
    const wrong = shape.findIndex((d) => !isDim(d))
    if (wrong >= 0) return refuse(`size ${shape[wrong]} of axis ${wrong} is not a whole number of elements`, wrong)
    const kept = otherAxes(shape.length, axes)
    const keptShape = kept.map((a) => shape[a]!)
    if (ShapeEq.equals(keptShape, x.shape)) return E.right([{ shape, dtype: x.dtype }])
    const hint = 'the axes of the result that are not new must be those of the operand, in order'
    const at = kept.find((a, i) => shape[a] !== x.shape[i])
    return refuse(
      `cannot broadcast ${showShape(x.shape)} to ${showShape(shape)} with new axes [${axes.join(', ')}]`,
      at,
      hint,
    )
  },
  jvp: ({ b, tangents, params }) => [tangents[0] && b.broadcast([tangents[0]], params)],
  transpose: ({ b, ct, params }) => [b.reduce([ct], { monoid: 'sum', axes: params.axes })],
  batch: ({ b, args, size, params }) => [
    b.broadcast([args[0]!], { shape: [size, ...params.shape], axes: params.axes.map((a) => a + 1) }),
  ],
  eval: ([x], { shape, axes }, [type]) => {
    const strides = new Array<number>(shape.length).fill(0)
    const own = stridesOf(x!.shape)
    otherAxes(shape.length, axes).forEach((a, i) => {
      strides[a] = own[i]!
    })
    return [take(type!, x!.data, stridedOffsets(shape, strides))]
  },
}

/** Reverses the elements along `axes`. Any dtype. It is its own transpose. */
export const flip: Primitive<ParamsOf['flip']> = {
  infer: (xs, { axes }) => wrongCount(xs, 1) ?? wrongAxes(axes, xs[0]!.shape.length) ?? E.right([xs[0]!]),
  jvp: ({ b, tangents, params }) => [tangents[0] && b.flip([tangents[0]], params)],
  transpose: ({ b, ct, params }) => [b.flip([ct], params)],
  batch: ({ b, args, params }) => [b.flip([args[0]!], { axes: params.axes.map((a) => a + 1) })],
  eval: ([x], { axes }, [type]) => {
    const strides = stridesOf(x!.shape)
    const base = axes.reduce((sum, a) => sum + (x!.shape[a]! - 1) * strides[a]!, 0)
    const reversed = strides.map((s, a) => (axes.includes(a) ? -s : s))
    return [take(type!, x!.data, stridedOffsets(x!.shape, reversed, base))]
  },
}
