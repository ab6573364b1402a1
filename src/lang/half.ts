/** binary16 by hand: Node 20 has no Float16Array. */

const float = new Float32Array(1)
const word = new Uint32Array(float.buffer)

/** The bits of the binary16 nearest to the binary32 in `word`, ties to even. */
const narrow = (): number => {
  const bits = word[0]!
  const sign = (bits >>> 16) & 0x8000
  const magnitude = bits & 0x7fffffff
  if (magnitude > 0x7f800000) return 0x7e00
  // 65520 and above round to infinity.
  if (magnitude >= 0x477ff000) return sign | 0x7c00
  if (magnitude >= 0x38800000) {
    const rebased = magnitude - 0x38000000
    return sign | ((rebased + 0xfff + ((rebased >>> 13) & 1)) >>> 13)
  }
  // Below 2^-14 the result is a multiple of 2^-24: scaling makes it an integer, exactly.
  const scaled = Math.abs(float[0]!) * 2 ** 24
  const floor = Math.floor(scaled)
  const rest = scaled - floor
  return sign | (floor + (rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? 1 : 0))
}

/**
 * The bits of the binary16 nearest to `x` (after rounding to f32, as a device has it), ties to even; overflow gives
 * infinity, NaN is 0x7e00.
 */
export const toHalf = (x: number): number => {
  float[0] = x
  return narrow()
}

/** The number that binary16 `bits` stand for. */
export const fromHalf = (bits: number): number => {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >>> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * (1024 + fraction) * 2 ** (exponent - 25)
}

/** `x` rounded once to the nearest binary16 number, ties to even; NaN, infinities and the sign of zero stay. */
export const roundHalf = (x: number): number => {
  if (Number.isNaN(x)) return x
  float[0] = x
  const single = float[0]!
  // Rounded to odd: cut off, with the last bit to say so, a tie of binary32 is not taken for one of `x`.
  if (single !== x) word[0] = (word[0]! - (Math.abs(single) > Math.abs(x) ? 1 : 0)) | 1
  return fromHalf(narrow())
}
