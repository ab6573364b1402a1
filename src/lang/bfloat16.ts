/** bfloat16 by hand: the upper half of a binary32. */

const float = new Float32Array(1)
const word = new Uint32Array(float.buffer)

/**
 * The bits of the bfloat16 nearest to `x` (after rounding to f32, as a device has it), ties to even; overflow gives
 * infinity, NaN stays NaN.
 */
export const toBfloat16 = (x: number): number => {
  float[0] = x
  const bits = word[0]!
  // A NaN whose payload lies in the lower half alone would become an infinity: the quiet bit is set.
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff
}

/** The number that bfloat16 `bits` stand for. */
export const fromBfloat16 = (bits: number): number => {
  word[0] = bits << 16
  return float[0]!
}

/** `x` rounded to the nearest bfloat16 number, by way of f32; NaN, infinities and the sign of zero stay. */
export const roundBfloat16 = (x: number): number => fromBfloat16(toBfloat16(x))
