/** What depends on the path of a training run, on devices: parts, schedules, skipped steps, averages, 16 bits. One program each. */
import { expect, test } from 'vitest'
import { compile, orThrow, toPromise } from '../../src/compile/compile.ts'
import * as T from '../../src/index.ts'
import * as nn from '../../src/nn/index.ts'
import * as optim from '../../src/optim/index.ts'
import type { Device } from '../../src/runtime/device.ts'
import { profileOf } from '../../src/runtime/open-device.ts'
import type { Output } from '../../src/runtime/resident.ts'
import { sharedDevice, sharedProcessor } from '../device.ts'

type X = T.Tensor

interface Params {
  readonly body: readonly { readonly weight: X; readonly bias: X }[]
  readonly head: X
}

const steps = 12
const wave = (count: number, seed: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(1 + 1.3 * i + seed))
const shapes = [[3, 4], [4], [4, 2], [steps, 5, 3], [steps, 5, 2]] as const
const data = shapes.map((shape, i) =>
  wave(
    shape.reduce((a: number, b) => a * b, 1),
    i,
  ),
)
// One batch gives gradients that are no numbers.
data[3]![4 * 15] = Number.NaN

const predict = (p: Params, x: X): X =>
  T.matmul(nn.tanh(T.add(T.matmul(x as never, p.body[0]!.weight as never), p.body[0]!.bias)) as never, p.head as never)
const loss = (p: Params, x: X, y: X): X => nn.mseLoss(predict(p, x) as never, y as never) as X

const o = optim.applyIfFinite(
  optim.groups(
    {
      body: optim.adamw(optim.joined([optim.warmup(0.05, { steps: 3 }), optim.oneCycle(0.1, { steps: 9 })], [3]), {
        decayMask: (_, p) => p.shape.length > 1,
      }),
      head: optim.accumulate(2, optim.scaleRates(optim.lamb(0.01), 2)),
    },
    optim.byPath({ head: 'head' }, 'body'),
  ),
)
const mean = optim.ema({ decay: 0.5, debias: true })
const fall = optim.plateau({ patience: 0, factor: 0.5, threshold: 0.05 })

/** Parameters, their average, factors of the plateau and the steps that were skipped, after 12 steps. */
const trained = (weight: X, bias: X, head: X, xs: X, ys: X): readonly X[] => {
  const params: Params = { body: [{ weight, bias }], head }
  const start = { params, state: o.init(params), mean: mean.init(params), plateau: fall.init() }
  const [end, factors] = T.scan(
    (now: typeof start, [x, y]: readonly [X, X]) => {
      const [value, grads] = T.valueAndGrad(loss)(now.params, x, y)
      const next = o.update(now.params, grads, now.state)
      const { state, factor } = fall.update(now.plateau, value)
      return [
        { params: next.params, state: next.state, mean: mean.update(next.params, now.mean), plateau: state },
        factor,
      ] as const
    },
    start,
    [xs, ys] as const,
  )
  const average = mean.value(end.mean)
  return [
    end.params.body[0]!.weight,
    end.params.body[0]!.bias,
    end.params.head,
    average.head,
    factors as unknown as X,
    end.state.skipped!,
  ]
}

/** Losses of mixed precision, the parameters after it, and how the scale went. */
const trainedIn =
  (compute: 'f16' | 'bf16') =>
  (weight: X, bias: X, head: X, xs: X, ys: X): readonly X[] => {
    const params: Params = { body: [{ weight, bias }], head }
    const step = optim.mixed({ compute }).step(loss, optim.adam(0.02))
    const start = { params, state: step.init(params) }
    const finite = T.where(T.isfinite(xs), xs, 0) as X
    const [end, losses] = T.scan(
      (now: typeof start, [x, y]: readonly [X, X]) => {
        const next = step.update(now.params, now.state, x, y)
        return [{ params: next.params, state: next.state }, next.loss] as const
      },
      start,
      [finite, ys] as const,
    )
    const { scale, skipped } = end.state
    return [losses as unknown as X, end.params.head, ...(scale ? [scale.scale, skipped!] : [])]
  }

const constants = data.map((d, i) => T.fromArray(d, shapes[i]!) as X) as unknown as [X, X, X, X, X]

/** Whether a device gives what the interpreter gives, each result within a part of its size. */
const agrees = async (f: typeof trained, device: Device, tolerance: number): Promise<void> => {
  const want = (T.reference(f(...constants)) as readonly T.HostTensor[]).map((r) => Array.from(r.data))
  const specs = shapes.map((s) => T.spec(s))
  const program = orThrow(compile(f as never, specs as never, { profile: profileOf(device) }))
  const loaded = await toPromise(program.load(device))
  const results = (await loaded.run(...(data as never))) as unknown as readonly Output[]
  for (const [i, r] of results.entries()) {
    const got = Array.from((await r.read()) as Float32Array)
    expect(got).toHaveLength(want[i]!.length)
    for (const [k, x] of got.entries())
      expect(Math.abs(x - want[i]![k]!), `result ${i}, element ${k}: ${x}, not ${want[i]![k]}`).toBeLessThan(
        tolerance * (1 + Math.abs(want[i]![k]!)),
      )
  }
}

/** Adam's kin, which the step of parts has not. */
const kin: Readonly<Record<string, optim.Optimiser>> = {
  nadam: optim.nadam(0.05),
  adamax: optim.adamax(0.05),
  radam: optim.radam(0.05),
  lion: optim.lion(0.02, { weightDecay: 0.1 }),
  lamb: optim.lamb(0.05, { weightDecay: 0.1 }),
}

/** What each of them makes of the same gradients in 12 steps, more than RAdam waits with its rectification. */
const trainedByKin = (weight: X, bias: X, _head: X, xs: X, ys: X): readonly X[] => {
  const all = Object.values(kin)
  const start = all.map((each) => ({ params: { weight }, state: each.init({ weight }) }))
  const [end] = T.scan(
    (now: typeof start, [x, y]: readonly [X, X]) => {
      const slopes = { weight: T.mul(T.mul(T.reshape(T.at(x, 0), [3, 1]), T.add(bias, 0.5)), T.at(y, 0, 0)) as X }
      const next = now.map(({ params, state }, i) => {
        const { params: after, state: kept } = all[i]!.update(params, slopes, state)
        return { params: after, state: kept }
      })
      return [next as typeof start, T.at(x, 0, 0)] as const
    },
    start,
    [T.where(T.isfinite(xs), xs, 0) as X, ys] as const,
  )
  return end.map(({ params }) => params.weight)
}

test('kin of Adam on the processor and on a GPU', async () => {
  const moved = (T.reference(trainedByKin(...constants)) as readonly T.HostTensor[]).map((t) => t.data[1]!)
  expect(new Set(moved.map((v) => v.toPrecision(6))).size).toBe(moved.length)
  await agrees(trainedByKin, await sharedProcessor(), 1e-5)
  await agrees(trainedByKin, await sharedDevice(), 1e-5)
})

test('parts, schedules, skipped steps and averages on the processor and on a GPU', async () => {
  const skipped = (T.reference(trained(...constants)) as readonly T.HostTensor[]).at(-1)!
  expect(Array.from(skipped.data)).toEqual([1])
  await agrees(trained, await sharedProcessor(), 1e-5)
  await agrees(trained, await sharedDevice(), 1e-5)
})

test('mixed precision: bf16 on both, f16 on the processor', async () => {
  const losses = (T.reference(trainedIn('f16')(...constants)) as readonly T.HostTensor[])[0]!.data
  expect(losses.at(-1)!).toBeLessThan(0.8 * losses[0]!)
  await agrees(trainedIn('bf16'), await sharedProcessor(), 0.02)
  await agrees(trainedIn('bf16'), await sharedDevice(), 0.02)
  await agrees(trainedIn('f16'), await sharedProcessor(), 0.002)
})
