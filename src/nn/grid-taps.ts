/** Where a coordinate that the device computes takes its elements from: along one axis, places, weights and what lies inside. */
import * as T from '../lang/tensor/index.ts'
import type { Tensor } from '../lang/types/tensor.ts'
import { cubic } from './resampling.ts'
import { choose } from './select.ts'

/** How a sample is made of its neighbours. */
export type GridMode = 'bilinear' | 'nearest' | 'bicubic'

/** What lies outside: zeros, the edge, or the mirrored elements. */
export type GridPadding = 'zeros' | 'border' | 'reflection'

/** What one neighbour adds along an axis: its place (i32, in range), its weight (1 where absent), whether it counts (always where absent). */
export interface GridTap {
  readonly at: Tensor
  readonly weight?: Tensor
  readonly inside?: Tensor
}

/** Coordinates in [-1, 1] as places: -1 and 1 are the centres of the corner elements, or their outer edges. */
const placed = (x: Tensor, size: number, aligned: boolean): Tensor =>
  aligned ? (T.mul(T.add(x, 1), (size - 1) / 2) as Tensor) : (T.div(T.sub(T.mul(T.add(x, 1), size), 1), 2) as Tensor)

/** `x` held between 0 and `most`, without a slope from there on; NaN is 0. */
const held = (x: Tensor, most: number): Tensor => choose(T.greater(x, 0), choose(T.less(x, most), x, most), 0)

/** `x` mirrored as often as it takes at the centres of the outer elements, or at their edges. */
const mirrored = (x: Tensor, size: number, aligned: boolean): Tensor => {
  const [low, span] = aligned ? [0, size - 1] : [-0.5, size]
  if (span === 0) return T.zerosLike(x) as Tensor
  const shifted = T.sub(x, low) as Tensor
  const apart = choose(T.less(shifted, 0), T.neg(shifted), shifted)
  const turns = T.floor(T.div(T.stopGradient(apart), span)) as Tensor
  const rest = T.sub(apart, T.mul(turns, span)) as Tensor
  const isOdd = T.equal(T.fmod(turns, 2), 1)
  return held(T.add(choose(isOdd, T.sub(span, rest) as Tensor, rest), low) as Tensor, size - 1)
}

/** A coordinate that no integer holds, NaN too, lies far outside. */
const finite = (x: Tensor): Tensor => choose(T.less(T.abs(x), 2 ** 30), x, -100)

const inRange: Readonly<Record<GridPadding, (x: Tensor, size: number, aligned: boolean) => Tensor>> = {
  zeros: finite,
  border: (x, size) => held(x, size - 1),
  reflection: mirrored,
}

/** A tap at whole places (floats), perhaps outside. */
const tap = (place: Tensor, size: number, padding: GridPadding, weight?: Tensor): GridTap => {
  const at = T.cast(held(place, size - 1), 'i32') as Tensor
  const own = weight ? { at, weight } : { at }
  if (padding !== 'zeros') return own
  return { ...own, inside: T.logicalAnd(T.greaterEqual(place, 0), T.lessEqual(place, size - 1)) as Tensor }
}

/** Keys' cubic convolution at distances up to 1 and from 1 to 2. */
const inner = (d: Tensor): Tensor => T.add(T.mul(T.mul(T.sub(T.mul(d, cubic + 2), cubic + 3), d), d), 1) as Tensor
const outer = (d: Tensor): Tensor =>
  T.sub(T.mul(T.add(T.mul(T.sub(T.mul(d, cubic), 5 * cubic), d), 8 * cubic), d), 4 * cubic) as Tensor

/** The taps along an axis of `size` of coordinates `x` in [-1, 1]. */
export const gridTaps = (
  x: Tensor,
  size: number,
  mode: GridMode,
  padding: GridPadding,
  aligned: boolean,
): readonly GridTap[] => {
  const place = placed(x, size, aligned)
  if (mode === 'bicubic') {
    // What lies outside is decided of each neighbour alone.
    const low = T.floor(finite(place)) as Tensor
    const part = T.sub(finite(place), low) as Tensor
    const rest = T.sub(1, part) as Tensor
    const weights = [outer(T.add(part, 1) as Tensor), inner(part), inner(rest), outer(T.add(rest, 1) as Tensor)]
    return weights.map((weight, k) =>
      tap(inRange[padding](T.add(low, k - 1) as Tensor, size, aligned), size, padding, weight),
    )
  }
  const own = inRange[padding](place, size, aligned)
  if (mode === 'nearest') return [tap(T.round(own) as Tensor, size, padding)]
  const low = T.floor(own) as Tensor
  const part = T.sub(own, low) as Tensor
  return [tap(low, size, padding, T.sub(1, part) as Tensor), tap(T.add(low, 1) as Tensor, size, padding, part)]
}

/** What neighbours add over several axes: each of the first with each of the others, as places in row-major order. */
export const joinTaps = (axes: readonly (readonly GridTap[])[], sizes: readonly number[]): readonly GridTap[] =>
  axes
    .slice(1)
    .reduce((joined, own, i) => joined.flatMap((p) => own.map((q) => joinTwo(p, q, sizes[i + 1]!))), axes[0]!)

const joinTwo = (p: GridTap, q: GridTap, size: number): GridTap => {
  const weight = p.weight && q.weight ? (T.mul(p.weight, q.weight) as Tensor) : (p.weight ?? q.weight)
  const inside = p.inside && q.inside ? (T.logicalAnd(p.inside, q.inside) as Tensor) : (p.inside ?? q.inside)
  return {
    at: T.add(T.mul(p.at, size), q.at) as Tensor,
    ...(weight ? { weight } : {}),
    ...(inside ? { inside } : {}),
  }
}
