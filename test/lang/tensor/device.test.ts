/** What is made of other tensor functions, on every device: many results of few programs, and on one device their gradients. */
import { expect, test } from 'vitest'
import { compileOn, grad } from '../../../src/index.ts'
import * as T from '../../../src/lang/tensor/index.ts'
import type { Tensor } from '../../../src/lang/types/tensor.ts'
import { sharedDevice, sharedProcessor } from '../../device.ts'
import { flat } from './run.ts'

const { NaN: nan } = Number

/** A matrix, one with NaN, and where blocks begin. */
const values = {
  x: [0.5, -1.25, 3, 2, 0.75, -0.5, 1.5, 4, -2, 0.25, 1, -3],
  holes: [1, nan, 2, nan, nan, nan, 0.5, -4, 3, 2, nan, 7],
  starts: [1, 9],
}
const x = T.fromArray(Float32Array.from(values.x), [3, 4])
const holes = T.fromArray(Float32Array.from(values.holes), [3, 4])
const starts = T.fromArray(Int32Array.from(values.starts), [2])

/** What has slopes of its own making: indices and choices. */
const sloping = (m: Tensor, h: Tensor, at: Tensor): readonly Tensor[] => [
  T.dynamicSlice(m, at, [2, 3]),
  T.dynamicUpdateSlice(m, T.ones([1, 2]), at),
  T.cumsum(m, { axis: 1, exclusive: true }) as Tensor,
  T.nanquantile(T.mul(m, h) as Tensor, [0.3, 0.5], { axis: 1 }),
  T.interp(m, T.tensor([-2, 0, 1.1, 5]), T.tensor([1, -1, 2, 3])),
]

const smooth = (m: Tensor, h: Tensor, at: Tensor): readonly Tensor[] => [
  ...sloping(m, h, at),
  T.cumprod(m, { exclusive: true, reverse: true }) as Tensor,
  T.max(m, { axis: 1, initial: 1.25 }) as Tensor,
  T.nanmean(T.mul(m, h) as Tensor, { axis: 1 }) as Tensor,
  T.nanvariance(T.mul(m, h) as Tensor, { axis: 0 }) as Tensor,
  T.nanmax(T.mul(m, h) as Tensor, { axis: 0 }) as Tensor,
  T.percentile(m, 30, { axis: 1 }),
  T.cov(m),
  T.corrcoef(m),
  T.diff(m, { prepend: 0 }),
  T.cross(T.narrow(m, 0, 3, { axis: 1 }) as Tensor, T.narrow(m, 1, 3, { axis: 1 }) as Tensor),
  T.inner(m, m),
  T.expm(T.mul(T.narrow(m, 1, 3, { axis: 1 }), 6) as Tensor),
  T.vstack([m, m]),
  T.transpose(m) as Tensor,
]

const whole = (m: Tensor, h: Tensor): readonly Tensor[] => [
  T.nanargmax(h, { axis: 0 }) as Tensor,
  T.nanargmin(h, { axis: 1 }) as Tensor,
  T.bincount(T.cast(m, 'i32') as Tensor, { length: 4 }),
  ...T.histogram(m, { bins: 3 }),
  T.histogram(h, { bins: [-1, 1, 2, 3], density: true })[0],
  T.isin(m, T.tensor([0.5, 4, -3])) as Tensor,
  T.isin(m, T.div(T.arange(20), 4) as Tensor) as Tensor,
  T.allclose(m, T.add(m, 1e-7)) as Tensor,
]

const total = (ys: readonly Tensor[]): Tensor =>
  ys.map((y, k) => T.mul(T.nansum(T.square(y)) as Tensor, 1 + k / 8)).reduce((a, b) => T.add(a, b) as Tensor) as Tensor

const slope = (m: Tensor, h: Tensor, at: Tensor): Tensor => grad((y: Tensor) => total(sloping(y, h, at)) as never)(m)

const all = (m: Tensor, h: Tensor, at: Tensor): readonly Tensor[] => [...smooth(m, h, at), ...whole(m, h)]
const chosen = (m: Tensor, h: Tensor, at: Tensor): readonly Tensor[] => [...sloping(m, h, at), ...whole(m, h)]
const slopes = (m: Tensor, h: Tensor, at: Tensor): readonly Tensor[] => [slope(m, h, at)]

test.each([
  ['the processor', sharedProcessor, [all, slopes]],
  // Which takes long to compile: what is not sums and products of parts alone.
  ['the software GPU', sharedDevice, [chosen]],
] as const)('on %s', async (_, open, programs) => {
  for (const program of programs) {
    const want = program(x, holes, starts).map(flat)
    const loaded = await compileOn(await open(), program, [x, holes, starts])
    const { x: xs, holes: hs, starts: at } = values
    const got = await loaded.run(Float32Array.from(xs), Float32Array.from(hs), Int32Array.from(at))
    for (const [k, output] of got.entries()) {
      const size = Math.max(1, ...want[k]!.filter(Number.isFinite).map(Math.abs))
      for (const [i, v] of Array.from(await output.read()).entries()) {
        const w = want[k]![i]!
        if (Number.isFinite(w)) expect(Math.abs(v - w) / size, `${k}[${i}]: ${v}, not ${w}`).toBeLessThan(2e-5)
        else expect(v, `${k}[${i}]`).toBe(w)
      }
    }
  }
})
