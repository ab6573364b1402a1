/** Kernels that differ in offsets only become one, and a dispatch with its words computes what the original did. */
import { describe, expect, it } from 'vitest'
import * as E from '#fp/Either'
import * as k from '../../../codegen/kernel/build-kernel.ts'
import type { KExpr, Kernel, KStmt } from '../../../codegen/kernel/kernel.ts'
import { verifyKernel } from '../../../codegen/kernel/verify-kernel.ts'
import { withWords } from '../../../codegen/kernel/words.ts'
import type { Plan } from '../../../codegen/plan/plan.ts'
import { shareKernels } from '../../../codegen/plan/share-kernels.ts'
import { everyStep, kernelOf } from '../../../codegen/plan/steps.ts'
import { verifyPlan } from '../../../codegen/plan/verify-plan.ts'
import { printKernel } from '../../../codegen/targets/wgsl/print-module.ts'
import * as T from '../../../src/index.ts'
import type { Value } from '../../../src/lang/primitive.ts'
import { programs } from '../../bench/programs.ts'
import { sharedDevice } from '../../device.ts'
import { f32 } from '../../passes/graph/programs.ts'
import { arbitraryValue, expectClose } from '../../passes/loop/clusters.ts'

const from = { name: 'b0', element: k.kType('f32'), access: 'read' as const }
const to = { name: 'b1', element: k.kType('f32'), access: 'read_write' as const }

const kernel = (...body: readonly KStmt[]): Kernel => ({
  name: 'a',
  workgroupSize: 8,
  bindings: [from, to],
  arrays: [],
  body,
})

const stores = (value: number): Kernel => kernel(k.store(to, k.u32(0), k.lit(value)))
const at = (offset: number): KExpr => k.add(k.builtin('localIndex'), k.u32(offset))
const moves = (read: number, write: number): Kernel => kernel(k.store(to, at(write), k.load(from, at(read))))

describe('kernels', () => {
  it.each<[string, readonly Kernel[], readonly number[]]>([
    ['are one, whatever their names', [stores(1), { ...stores(2), name: 'b' }, { ...stores(1), name: 'c' }], [0, 1, 0]],
    ['zeros of different signs differ', [stores(0), stores(-0), stores(0)], [0, 1, 0]],
    ['infinities differ', [stores(Infinity), stores(-Infinity), stores(Infinity)], [0, 1, 0]],
    ['NaN is not a missing number', [stores(NaN), stores(Infinity), stores(NaN)], [0, 1, 0]],
    ['workgroups of another size differ', [stores(1), { ...stores(1), workgroupSize: 16 }], [0, 1]],
    ['of none are none', [], []],
  ])('%s', (_, kernels, indices) => {
    const shared = shareKernels(kernels)
    expect(shared.of).toEqual(indices.map((i) => ({ kernel: i })))
    for (const [i, { kernel: n }] of shared.of.entries())
      expect({ ...shared.kernels[n], name: '' }).toEqual({ ...kernels[i], name: '' })
  })

  it('that differ in offsets are one, whose words say them; offsets that move together are one word', () => {
    const kernels = [moves(0, 8), moves(4, 12), moves(100, 108), moves(4, 12)]
    const { kernels: made, of } = shareKernels(kernels)
    expect(of).toEqual([8, 12, 108, 12].map((word) => ({ kernel: 0, words: [word] })))
    expect(made.map((m) => m.words)).toEqual([1])
    expect(printKernel(made[0]!)).toContain('b1[localIndex + word0] = b0[localIndex + (word0 - 8u)];')
    expect(verifyKernel(made[0]!)).toEqual([])
  })

  it('offsets that move apart are two words', () => {
    const { kernels: made, of } = shareKernels([moves(0, 8), moves(4, 8), moves(4, 9)])
    expect(of.map((o) => o.words)).toEqual(
      [
        [8, 0],
        [8, 4],
        [9, 4],
      ].map((w) => (of[0]!.words![0] === 8 ? w : w.toReversed())),
    )
    expect(made).toHaveLength(1)
  })

  it('divisors, steps of loops and what is multiplied stay constants', () => {
    const by = (n: number): Kernel => kernel(k.store(to, k.div(k.builtin('localIndex'), k.u32(n)), k.lit(1)))
    const times = (n: number): Kernel =>
      kernel(k.forStmt('i', k.u32(0), k.u32(n), 1, [k.store(to, k.ref('i'), k.lit(1))]))
    expect(shareKernels([by(3), by(5)]).kernels).toHaveLength(2)
    expect(shareKernels([times(3), times(5)]).kernels).toHaveLength(2)
  })

  it('a word and what is added to it may be less than what it stands for', () => {
    const { kernels: made, of } = shareKernels([moves(8, 0), moves(12, 4)])
    for (const [i, original] of [moves(8, 0), moves(12, 4)].entries()) {
      const copy: Kernel = JSON.parse(JSON.stringify(made[of[i]!.kernel]))
      expect({ ...withWords(copy, of[i]!.words!), name: 'a' }).toEqual(original)
    }
  })
})

describe('a program', () => {
  const lstm = programs.find((p) => p.name === 'lstm_train')!
  const planFor = (profile: T.Profile): Plan =>
    E.match(
      (e: unknown): Plan => {
        throw new Error(JSON.stringify(e))
      },
      (p: T.Program<never, never>) => p.plan,
    )(T.compile(lstm.f as never, lstm.specs as never, { ...lstm.options, profile }) as never)
  const plan = planFor(T.profiles.software)

  it.each(Object.values(T.profiles))('of 16 unrolled steps of an LSTM has 12 pipelines at most: $name', (profile) => {
    const { kernels, steps } = planFor(profile)
    expect(kernels.length).toBeLessThanOrEqual(12)
    expect(steps.filter((s) => s.kind === 'dispatch').length).toBeLessThanOrEqual(52)
  })

  it('is verified without the originals at hand', () => {
    const copy: Plan = { ...plan, kernels: plan.kernels.map((x) => ({ ...x, kernel: { ...x.kernel } })) }
    expect(verifyPlan(copy)).toEqual([])
    const wrong = copy.steps.map((s) => (s.kind === 'dispatch' && s.words ? { ...s, words: [...s.words, 1] } : s))
    expect(
      verifyPlan({ ...copy, steps: wrong })
        .map((f) => f.message)
        .join(),
    ).toContain('words')
    for (const step of everyStep(copy.steps)) {
      if (step.kind !== 'dispatch') continue
      const whole = kernelOf(copy, step)
      expect(verifyKernel(whole)).toEqual([])
      expect(whole.words).toBeUndefined()
    }
  })
})

describe('six steps of a recurrence, each at its own slice', () => {
  const steps =
    (rows: number) =>
    (h: T.Tensor, x: T.Tensor, w: T.Tensor): T.Tensor => {
      let state = h
      for (let i = 0; i < 6; i++) state = T.tanh(T.add(T.matmul(state, w), T.slice(x, [[rows * i, rows * (i + 1)]])))
      return state
    }
  const numbers = (shape: readonly number[], salt: number): Float32Array =>
    Float32Array.from(arbitraryValue(f32(...shape), salt).data)

  it.each([
    ['on a word for what they read', 8, 64, 6, 1],
    ['two to a dispatch, on a word for each', 3, 20, 3, 2],
  ] as const)(
    'run on the device as two pipelines, %s, and give what the reference does',
    async (_, rows, columns, dispatches, words) => {
      const [h, x, w] = [[rows, columns] as const, [6 * rows, columns] as const, [columns, columns] as const]
      const f = steps(rows)
      const loaded = await T.compileOn(await sharedDevice(), f, [T.spec(h), T.spec(x), T.spec(w)])
      const { plan } = loaded.program
      expect(plan.kernels.map((p) => p.kernel.words)).toEqual([undefined, words])
      const given = plan.steps.flatMap((s) => (s.kind === 'dispatch' ? [s.words] : []))
      expect([given.length, new Set(given.map((n) => n?.join())).size]).toEqual([dispatches, dispatches])
      const tensor = (data: Float32Array, shape: readonly number[]): T.Tensor => T.reshape(T.tensor([...data]), shape)
      for (const salt of [1, 2]) {
        // Weights so small that a state is not ±1, whatever the slice.
        const d = numbers(w, 3 * salt).map((n) => n / columns)
        const [a, c] = [numbers(h, salt), numbers(x, 2 * salt)]
        const want = T.reference(f(tensor(a, h), tensor(c, x), tensor(d, w)))
        const got = await (await loaded.run(a, c, d)).read()
        const state = (data: Iterable<number>): Value => ({ ...f32(...h), data: Float64Array.from(data) })
        expectClose([state(got)], [state(want.data)])
      }
    },
  )
})
