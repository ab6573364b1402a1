/** What a program refuses is not consumed, and `checkNumerics` finds the first result or gradient that is not finite. */
import { describe, expect, it } from 'vitest'
import * as T from '../../src/index.ts'
import * as optim from '../../src/optim/index.ts'
import type { Device } from '../../src/runtime/device.ts'
import { sharedDevice, sharedProcessor } from '../device.ts'

const devices: readonly (readonly [string, () => Promise<Device>])[] = [
  ['gpu', sharedDevice],
  ['cpu', sharedProcessor],
]

const start = { w: T.tensor([0.5, 1]), o: { n: T.tensor(0) } }
type State = typeof start
type Batch = T.Tensor<readonly [2], 'f32'>

const refusal = async (run: Promise<unknown>): Promise<string> => run.then(String, (e: Error) => e.message)

describe.each(devices)('on the %s', (_, open) => {
  it('a run that is refused leaves what it was given, wherever that is', async () => {
    const step = (s: State, x: Batch) => ({
      s: { w: T.checkNumerics(T.mul(s.w, x), 'w'), o: { n: T.add(s.o.n, 1) } },
      sum: T.sum(x),
    })
    const program = await T.compileOn(await open(), step, [start, T.spec([2])], { donate: [0] })
    const wrong = [Number.NaN, 1]
    const elements = async (s: State): Promise<readonly number[]> => {
      const { w, o } = await T.read(s)
      return [...w, ...o.n]
    }
    // In memory of its own, as put gives it; in the arena of the program, as it gave it; of another program of the same kind.
    const other = await T.compileOn(await open(), step, [start, T.spec([2])], { donate: [0] })
    const states = [
      await T.put(start, { device: await open() }),
      (await program.run(start, [1, 2])).s,
      (await other.run(start, [1, 2])).s,
    ]
    for (const s of states) {
      const before = await elements(s)
      expect(await refusal(program.run(s, wrong))).toContain('T.checkNumerics: w, f32[2], holds 1 NaN')
      expect(await refusal(program.run(s, [1]))).toContain('got 1 elements, f32[2] has 2')
      expect([s.w.consumed, s.o.n.consumed]).toEqual([false, false])
      expect(await elements(s)).toEqual(before)
      // The batch is passed over, and the state goes on.
      const next = await program.run(s, [2, 2])
      expect(await elements(next.s)).toEqual([2 * before[0]!, 2 * before[1]!, before[2]! + 1])
      expect([s.w.consumed, s.o.n.consumed]).toEqual([true, true])
      await expect(s.w.read()).rejects.toThrow('consumed')
    }
  })

  it('checkNumerics of compile names the first result or gradient, its op and its line', async () => {
    const loss = (p: { w: Batch }, x: Batch) => T.sum(T.sqrt(T.mul(p.w, x)))
    const step = (s: { w: Batch }, x: Batch) => {
      const [value, grads] = T.valueAndGrad(loss)(s, x)
      const w = T.where(T.greater(x, 5), T.log(T.sub(x, 8)), T.sub(s.w, T.clamp(grads.w, { min: -1, max: 1 })))
      return { state: { w }, value, count: T.add(T.tensor(1), 1) }
    }
    const program = await T.compileOn(await open(), step, [{ w: T.spec([2]) }, T.spec([2])], {
      donate: [0],
      checkNumerics: true,
    })
    const { state } = await program.run({ w: [1, 4] }, [1, 1])
    expect([...(await state.w.read())]).toEqual([0.5, 3.75])
    const line = 'check-numerics\\.test\\.ts:\\d+'
    // The gradient of sqrt at 0 is infinite, though what becomes of it is cut off: no result shows it.
    expect(await refusal(program.run(state, [1, 0]))).toMatch(
      new RegExp(
        `the gradient of argument 0 \\.w, made by \\w+, f32\\[2\\], holds 1 .*, the first at position \\[1\\]\\n.*${line}`,
      ),
    )
    expect(await refusal(program.run(state, [8, 1]))).toMatch(
      new RegExp(
        `the result state\\.w, made by select, f32\\[2\\], holds 1 infinity, the first at position \\[0\\]\\n.*${line}`,
      ),
    )
    expect(await refusal(program.run({ w: [-1, 1] }, [1, 1]))).toContain('NaN')
    const next = await program.run(state, [1, 1])
    expect((await next.state.w.read()).every((x) => Math.abs(x) < 4)).toBe(true)
  })
})

it('checks an optimiser’s step, loops and maps, and not what a whileLoop does inside', async () => {
  const o = optim.adam(0.1)
  const cube = (x: T.Tensor) => T.sum(T.mul(x, T.mul(x, x)))
  const newton = (x: T.Tensor) =>
    T.whileLoop(
      (c: T.Tensor) => T.greater(T.sum(c), 1),
      (c: T.Tensor) => T.sub(c, T.mul(T.grad(cube)(c), 0.1)),
      x,
    )
  const step = (s: { p: T.Tensor; o: optim.OptimiserState }, x: T.Tensor) => {
    const next = o.update(s.p, T.grad((p: T.Tensor) => T.sum(T.log(T.mul(p, x))))(s.p), s.o)
    const [, grads] = T.scan((c: T.Tensor, y: T.Tensor) => [c, T.grad(cube)(T.mul(y, c))] as const, T.tensor(2.5), x)
    return { s: { p: next.params, o: next.state }, each: T.vmap(T.grad(cube))(x), grads, root: newton(x) }
  }
  const first = { p: T.ones([2]), o: o.init(T.ones([2])) }
  const program = await T.compileOn(await T.defaultDevice(), step, [first, T.spec([2])], { checkNumerics: true })
  const { s, each } = await program.run(first, [0.5, 1])
  expect([...(await each.read())]).toEqual([0.75, 3])
  expect(await refusal(program.run(s, [0.5, 1e30]))).toMatch(/the gradient of argument 0.* holds 1 infinity/)
})

it('is an option like the others', () => {
  expect(() => T.orThrow(T.compile((x) => x, [T.spec([1])], { checkNumerics: 1 as never }))).toThrow(
    "'checkNumerics' is 1",
  )
  const plan = (options: T.CompileOptions) => T.orThrow(T.compile((x) => T.exp(x), [T.spec([2])], options)).plan
  expect(plan({}).observations).toEqual([])
  expect(plan({ checkNumerics: true }).observations).toHaveLength(1)
})

it('names the line of the operation that made a result', async () => {
  const at = Number(/check-numerics\.test\.ts:(\d+):/.exec(new Error().stack!)![1]) + 1
  const f = (x: T.Tensor) => ({ y: T.log(x) })
  const program = await T.compileOn(await T.defaultDevice(), f, [T.spec([2])], { checkNumerics: true })
  expect(await refusal(program.run([0, 1]))).toContain(`check-numerics.test.ts:${at}:`)
})
