/** The work of a run of named sizes is that of its sizes: counted flops, where loops end with the words of a run. */
import { expect, test } from 'vitest'
import { withWords } from '../../../codegen/kernel/words.ts'
import { workOf } from '../../../codegen/plan/predict.ts'
import { unrolled } from '../../../codegen/plan/steps.ts'
import { profiles } from '../../../codegen/targets/profiles.ts'
import type { Profile } from '../../../passes/profile.ts'
import * as T from '../../../src/index.ts'
import { sizeAt } from '../../../src/lang/size.ts'
import * as nn from '../../../src/nn/index.ts'

const batch = T.dim('batch', { max: 256 })

/** The flops of all dispatches in a run of `n` rows. */
const flopsAt = (f: (...args: never[]) => unknown, specs: readonly T.Spec[], profile: Profile, n: number): number => {
  const { plan } = T.orThrow(T.compile(f, specs as never, { profile })) as T.Program
  const at = new Map([['batch', n]])
  return unrolled(plan.steps).reduce((sum, step) => {
    if (step.kind === 'copy') return sum
    const { kernel } = plan.kernels[step.kernel]!
    const words = step.limits?.map(({ size, by, most }) => Math.min(most, Math.ceil(sizeAt(size, at) / by)))
    const sizes = step.bindings.map((b) => b.bytes)
    return sum + workOf(words ? withWords(kernel, words) : kernel, step.workgroups, sizes).flops
  }, 0)
}

type Tensors = readonly T.Tensor[]

const predict = (...[w1, w2, x]: Tensors): T.Tensor => nn.softmax(T.matmul(T.relu(T.matmul(x!, w1!)), w2!))

const train = (...[w1, w2, x, y]: Tensors): unknown => {
  const loss = (w: Tensors): T.Tensor => T.mean(T.square(T.sub(predict(w[0]!, w[1]!, x!), y!)))
  return T.valueAndGrad(loss as never)([w1, w2] as never)
}

const recur = (...[w, xs, start]: Tensors): unknown =>
  T.scan(
    (h: T.Tensor, x: T.Tensor) => {
      const next = T.tanh(T.add(T.matmul(h, w!), x))
      return [next, T.mul(next, 2)]
    },
    start!,
    xs!,
  )

const programs: readonly (readonly [string, (...args: never[]) => unknown, readonly T.Spec[]])[] = [
  ['a prediction', predict as never, [T.spec([32, 64]), T.spec([64, 8]), T.spec([batch, 32])]],
  ['a training step', train as never, [T.spec([32, 64]), T.spec([64, 8]), T.spec([batch, 32]), T.spec([batch, 8])]],
  ['a recurrence', recur as never, [T.spec([16, 16]), T.spec([6, batch, 16]), T.spec([batch, 16])]],
  ['a pixel map', ((x: T.Tensor) => T.exp(T.mul(x, 2))) as never, [T.spec([batch, 7, 5])]],
]

for (const name of ['cpu', 'software'] as const)
  test.each(programs)(`on ${name}: %s of 16 rows takes a sixteenth of what 256 take, and a little`, (_, f, specs) => {
    const [few, all] = [16, 256].map((n) => flopsAt(f, specs, profiles[name], n))
    // What does not depend on rows: the sums that are updated, a register tile more than is needed.
    expect(few! / all!).toBeLessThan(0.09)
    expect(flopsAt(f, specs, profiles[name], 0)).toBeLessThan(few!)
  })
