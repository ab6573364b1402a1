/** Products of many numbers in Float64, none of which leaves its range on the way. */

/** A product that grows: a zero among large numbers makes it a zero, however many they are. */
export interface RunningProduct {
  readonly times: (x: number) => void
  readonly value: () => number
}

const step = 2 ** 500

export const runningProduct = (): RunningProduct => {
  let mantissa = 1
  /** In steps of 2^500. */
  let exponent = 0
  return {
    times: (x) => {
      mantissa *= x
      const size = Math.abs(mantissa)
      if (size > step) {
        mantissa /= step
        exponent += 1
      } else if (size < 1 / step) {
        mantissa *= step
        exponent -= 1
      }
    },
    value: () => {
      let product = mantissa
      for (let k = 0; k < Math.min(4, Math.abs(exponent)); k++) product = exponent > 0 ? product * step : product / step
      return product
    },
  }
}
