/** How pooling cuts the spatial axes (from axis 2 on; the batch axis may be missing) into windows. */
import { build, typeOf } from '../lang/build.ts'
import { ceilDiv, floorDiv } from '../lang/dim.ts'
import { isFloat } from '../lang/dtype.ts'
import type { Node, TensorType } from '../lang/ir.ts'
import type { OptionNames } from '../lang/tensor/arguments.ts'
import { isMistake } from '../lang/tensor/ask.ts'
import { onTensor, refuse, reshapeNode } from '../lang/tensor/operand.ts'
import { padNode } from '../lang/tensor/shape/padding.ts'
import { nodeOf, type Tensor, tensorOf } from '../lang/types/tensor.ts'
import { type Padding, type PerAxis, perAxis, type Sides, sidesOf, windowsNode } from './windows.ts'

/** Windows of pooling. The stride is the window's size unless given; `ceilMode` keeps a last partial window. */
export interface WindowOptions {
  readonly kernelSize: PerAxis
  readonly stride?: PerAxis | undefined
  readonly padding?: Padding | undefined
  readonly dilation?: PerAxis | undefined
  readonly ceilMode?: boolean | undefined
}

export const windowOptions: OptionNames<WindowOptions> = {
  kernelSize: 'must integers',
  stride: 'integers',
  padding: 'padding',
  dilation: 'integers',
  ceilMode: 'boolean',
}

/** The windows along one axis of size `n`: how many, and what is added at the ends so that they fit. */
export interface WindowAxis {
  readonly n: number
  readonly size: number
  readonly stride: number
  readonly dilation: number
  readonly before: number
  readonly after: number
  readonly count: number
  readonly extra: number
}

/** Elements that a window reaches over. */
const reachOf = (size: number, dilation: number): number => dilation * (size - 1) + 1

/** PyTorch's pooling_output_shape: with `ceilMode` a last window may hang over, if it starts inside the input or its left padding. */
const axisOf = (
  n: number,
  size: number,
  stride: number,
  dilation: number,
  [before, after]: readonly [number, number],
  ceilMode: boolean,
): WindowAxis => {
  const reach = reachOf(size, dilation)
  const room = n + before + after - reach
  let count = (ceilMode ? ceilDiv(room, stride) : floorDiv(room, stride)) + 1
  if (ceilMode && (count - 1) * stride >= n + before) count -= 1
  const extra = Math.max(0, (count - 1) * stride + reach - n - before - after)
  return { n, size, stride, dilation, before, after, count, extra }
}

/** Whether the padding is at most half a window, or, of two sides that differ, less than one. */
const isHeld = ({ size, dilation, before, after }: WindowAxis): boolean =>
  before === after ? 2 * before <= size * dilation : Math.max(before, after) < reachOf(size, dilation)

/** `[N, C, …]` cut into windows `[N, C, …count, …size]`, padded with `value`. */
export const pooledWindows = (n: Node, axes: readonly WindowAxis[], value: number): Node => {
  const low = [0, 0, ...axes.map((a) => a.before)]
  const high = [0, 0, ...axes.map((a) => a.after + a.extra)]
  const options = { stride: axes.map((a) => a.stride), dilation: axes.map((a) => a.dilation) }
  const windows = windowsNode(
    padNode(n, low, high, value),
    axes.map((a) => a.size),
    options,
  )
  const { shape } = typeOf(windows)
  // A stride that does not divide leaves no more windows than counted, except where ceilMode dropped one.
  const wanted = shape.map((d, i) => (i >= 2 && i < 2 + axes.length ? Math.min(d, axes[i - 2]!.count) : d))
  return wanted.every((d, i) => d === shape[i])
    ? windows
    : build.slice([windows], { start: shape.map(() => 0), stop: wanted, step: shape.map(() => 1) })
}

/** The refusal of means of integers, as by `T.mean`: they would be cut to whole numbers. */
export const unaveraged = (name: string, x: Tensor): Tensor | undefined =>
  isMistake(x) || isFloat(x.dtype)
    ? undefined
    : tensorOf(refuse(name, [nodeOf(x)], { reason: `not defined on ${x.dtype}`, hint: "cast first: T.cast(x, 'f32')" }))

/** The axes of windows over spatial axes of `sizes`, or what is wrong with the options. */
const axesOf = (
  name: string,
  sizes: readonly number[],
  { kernelSize, stride = kernelSize, padding = 0, dilation = 1, ceilMode = false }: WindowOptions,
): readonly WindowAxis[] | string => {
  const [k, s, d] = Object.entries({ kernelSize, stride, dilation }).map(([what, v]) =>
    perAxis(name, what, v, sizes.length),
  ) as [readonly number[], readonly number[], readonly number[]]
  if (![k, s, d].every((list) => list.length === sizes.length && list.every((v) => Number.isInteger(v) && v > 0)))
    return `kernelSize, stride and dilation must be whole numbers above 0, ${sizes.length} of each`
  const reach = k.map((size, i) => reachOf(size, d[i]!))
  const sides: Sides | string = sidesOf(padding, sizes, { reach, stride: s })
  return typeof sides === 'string'
    ? sides
    : sizes.map((n, i) => axisOf(n, k[i]!, s[i]!, d[i]!, [sides.low[i]!, sides.high[i]!], ceilMode))
}

/** `body` on `[N, C, …]`, the windows along its spatial axes and its type; the batch axis is taken off again where there was none. */
export const pooling = (
  name: string,
  spatial: number,
  x: Tensor,
  options: WindowOptions,
  body: (n: Node, axes: readonly WindowAxis[], type: TensorType) => Node,
): Tensor =>
  onTensor(name, x, (given, { shape }) => {
    const single = shape.length === spatial + 1
    if (!single && shape.length !== spatial + 2)
      return refuse(name, [given], {
        reason: `takes rank ${spatial + 2} (or ${spatial + 1} without a batch), not ${shape.length}`,
      })
    const n = single ? reshapeNode(given, [1, ...shape]) : given
    const axes = axesOf(name, typeOf(n).shape.slice(2), options)
    if (typeof axes === 'string') return refuse(name, [given], { reason: axes, hint: 'one number stands for all axes' })
    const wrong = axes.findIndex((a) => a.count < 1 || a.before < 0 || a.after < 0 || !isHeld(a))
    if (wrong >= 0) {
      const { size, before, after, n: elements } = axes[wrong]!
      return refuse(name, [given], {
        reason: `windows of ${size} with padding ${before === after ? before : `[${before}, ${after}]`} do not fit axis ${wrong + (single ? 1 : 2)} of size ${elements}`,
        axis: wrong + (single ? 1 : 2),
        hint: 'the padding is at most half the window; where its sides differ, each is less than the window',
      })
    }
    const out = body(n, axes, typeOf(n))
    return single ? reshapeNode(out, typeOf(out).shape.slice(1)) : out
  })
