/** The grid of f32 numbers, as the host sees it. */

const float = new Float32Array(1)
const word = new Int32Array(float.buffer)

/** The f32 number `by` places further from zero than `x`. */
const outwards = (x: number, by: number): number => {
  float[0] = x
  word[0]! += by
  return float[0]
}

/** The distance of `x` from the next f32 further from zero. */
export const spacing = (x: number): number => outwards(Math.abs(x), 1) - Math.abs(Math.fround(x))

/** The greatest f32 below `x`; below 0 the greatest normal one, as devices may know no other. */
export const floatBelow = (x: number): number => (x === 0 ? -(2 ** -126) : outwards(x, x > 0 ? -1 : 1))
