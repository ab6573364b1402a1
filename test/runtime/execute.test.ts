/** Running plans: results, state that stays on the device, handles and what may be done with them. */
import { describe, expect, it } from 'vitest'
import * as k from '../../codegen/kernel/build-kernel.ts'
import type { Plan } from '../../codegen/plan/plan.ts'
import { TensorloomError } from '../../src/lang/errors.ts'
import { countCalls } from '../../src/runtime/count-calls.ts'
import type { Device } from '../../src/runtime/device.ts'
import { type Executable, loadPlan } from '../../src/runtime/execute.ts'
import type { Output, Resident } from '../../src/runtime/resident.ts'
import { encode } from '../../src/runtime/words.ts'
import { eachDevice } from './each-device.ts'
import { accumulate, affine, input, kernelOf, output, place, planFor, planOf } from './plans.ts'

const floats = (...xs: number[]): Float32Array => Float32Array.from(xs)
const read = async (o: Output | undefined): Promise<number[]> => Array.from(await o!.read())
const kept = (o: Output | undefined): Resident => {
  expect(o?.kind).toBe('resident')
  return o as Resident
}
const failure = async (p: Promise<unknown>): Promise<unknown> => {
  const e = await p.then(
    () => undefined,
    (x: unknown) => x,
  )
  expect(e).toBeInstanceOf(TensorloomError)
  return (e as TensorloomError).error
}
const loadOn = (device: Device, plan: Plan): Promise<Executable> => loadPlan(device, planFor(device, plan))

describe.each(eachDevice)('on the $name', ({ shared, open }) => {
  const loadShared = async (plan: Plan): Promise<Executable> => loadOn(await shared(), plan)

  describe('a run', () => {
    it.each([1, 63, 64, 65, 997])('computes 2x + 1 over %i elements', async (n) => {
      const program = await loadShared(affine(n, false))
      const x = Float32Array.from({ length: n }, (_, i) => i - 7)
      const [y] = await program.run([x])
      expect(await read(y)).toEqual(Array.from(x, (v) => 2 * v + 1))
    })

    it('takes the host array as it is at the call', async () => {
      const program = await loadShared(affine(3, false))
      const x = floats(1, 2, 3)
      const pending = program.run([x])
      x.fill(100)
      expect(await read((await pending)[0])).toEqual([3, 5, 7])
    })

    it('gives every run its own values, in call order', async () => {
      const program = await loadShared(affine(2, false))
      const runs = await Promise.all([1, 2, 3, 4].map((k) => program.run([floats(k, -k)])))
      expect(await Promise.all(runs.map(([y]) => read(y)))).toEqual([1, 2, 3, 4].map((k) => [2 * k + 1, 1 - 2 * k]))
    })

    it('folds grids past maxGridSide near-square, and every workgroup runs once', async () => {
      const n = 1009
      const plan = affine(n, false)
      const side = 6
      const narrow = { ...plan, profile: { ...plan.profile, maxGridSide: side } }
      const [y] = await (await loadShared(narrow)).run([Float32Array.from({ length: n }, (_, i) => i)])
      expect(await read(y)).toEqual(Array.from({ length: n }, (_, i) => 2 * i + 1))
    })

    it('handles empty tensors, and plans with no step at all', async () => {
      const nothing = place(0, 0, 0)
      const program = await loadShared(
        planOf({
          arenas: [0],
          kernels: [],
          steps: [],
          inputs: [input('[0]', [0, 3], 'f32', nothing)],
          outputs: [output('a', [0, 3], 'f32', nothing), output('b', [3, 0], 'f32', nothing, { keep: true })],
        }),
      )
      const [a, b] = await program.run([floats()])
      expect([await read(a), await read(b)]).toEqual([[], []])
      expect(b!.shape).toEqual([3, 0])
    })

    it('copies between places, also within one arena, before and after the pass', async () => {
      const plan = affine(4, false)
      const program = await loadShared(
        planOf({
          ...plan,
          arenas: [512, 512],
          steps: [
            { kind: 'copy', from: place(0, 256, 16), to: place(0, 0, 16) },
            ...plan.steps,
            { kind: 'copy', from: place(1, 0, 16), to: place(0, 256, 16) },
          ],
          inputs: [input('[0]', [4], 'f32', place(0, 256, 16))],
          outputs: [output('', [4], 'f32', place(0, 256, 16))],
        }),
      )
      expect(await read((await program.run([floats(1, 2, 3, 4)]))[0])).toEqual([3, 5, 7, 9])
    })

    it('moves each dtype there and back', async () => {
      const device = await shared()
      const at = (i: number) => place(0, i * 256, 12)
      const dtypes = ['f32', 'i32', 'u32', 'bool', 'f16', 'bf16', 'i8', 'u8'] as const
      const plan = planOf({
        arenas: [8 * 256],
        kernels: [],
        steps: [],
        inputs: dtypes.map((d, i) => input(`[${i}]`, [3], d, at(i))),
        outputs: dtypes.map((d, i) => output(`${i}`, [3], d, at(i), { keep: i % 2 === 0 })),
      })
      const program = await loadOn(device, plan)
      const typed = await program.run([
        floats(0.1, Number.NaN, -0),
        Int32Array.of(-1, 2 ** 31 - 1, 0),
        Uint32Array.of(2 ** 32 - 1, 0, 1),
        Uint8Array.of(0, 1, 255),
        floats(0.1, 65520, 2 ** -25 * 1.5),
        floats(0.1, Number.NaN, 3.4e38),
        Int8Array.of(-1, 127, -128),
        Uint8Array.of(0, 1, 255),
      ])
      expect(await Promise.all(typed.map((o) => o.read()))).toEqual([
        floats(0.1, Number.NaN, -0),
        Int32Array.of(-1, 2 ** 31 - 1, 0),
        Uint32Array.of(2 ** 32 - 1, 0, 1),
        Uint8Array.of(0, 1, 1),
        floats(0.0999755859375, Number.POSITIVE_INFINITY, 2 ** -24),
        floats(0.10009765625, Number.NaN, Number.POSITIVE_INFINITY),
        Int8Array.of(-1, 127, -128),
        Uint8Array.of(0, 1, 255),
      ])
      expect(encode('bool', [Number.NaN, 0, -0, 0.5])).toEqual(Uint32Array.of(1, 0, 0, 1))
      const plain = await program.run([
        [1, 2, 3],
        [-1, 0, 1],
        [0, 1, 2],
        [true, false, true],
        [1, 2, 3],
        [1, 2, 3],
        [-128, 0, 127],
        [0, 255, 1],
      ])
      expect(await Promise.all(plain.map(read))).toEqual([
        [1, 2, 3],
        [-1, 0, 1],
        [0, 1, 2],
        [1, 0, 1],
        [1, 2, 3],
        [1, 2, 3],
        [-128, 0, 127],
        [0, 255, 1],
      ])
    })

    it('uploads constants at loading', async () => {
      const constant = place(0, 256, 8)
      const program = await loadShared(
        planOf({
          arenas: [264, 8],
          kernels: [
            kernelOf(
              'offset',
              [
                ['f32', 'read'],
                ['f32', 'read'],
                ['f32', 'read_write'],
              ],
              (i, [x, constant, y]) => [
                k.ifStmt(k.lt(i, k.u32(2)), [k.store(y!, i, k.add(k.load(x!, i), k.load(constant!, i)))]),
              ],
            ),
          ],
          steps: [{ kind: 'dispatch', kernel: 0, workgroups: 1, bindings: [place(0, 0, 8), constant, place(1, 0, 8)] }],
          inputs: [input('[0]', [2], 'f32', place(0, 0, 8))],
          outputs: [output('', [2], 'f32', place(1, 0, 8))],
          data: [{ place: constant, dtype: 'f32', values: [10, 20] }],
        }),
      )
      expect(await read((await program.run([[1, 2]]))[0])).toEqual([11, 22])
      expect(await read((await program.run([[3, 4]]))[0])).toEqual([13, 24])
    })

    it('is one pass and one submit, and makes nothing new once warm', async () => {
      const device = await open()
      const program = await loadOn(device, accumulate(8))
      let [state, loss] = await program.run([new Float32Array(8), new Float32Array(8).fill(1)])
      await loss!.read()
      const counter = countCalls(device)
      ;[state, loss] = await program.run([state!, new Float32Array(8).fill(2)])
      expect(await read(loss)).toEqual([24])
      expect(counter.read()).toEqual({
        dispatches: 2,
        workgroups: 2,
        passes: 1,
        submits: 1,
        copies: 1,
        copiedBytes: 4,
        uploads: 1,
        uploadedBytes: 32,
        buffers: 0,
        bufferBytes: 0,
        modules: 0,
        pipelines: 0,
        bindGroups: 0,
      })
      counter.stop()
      device.destroy()
    })
  })

  describe('state', () => {
    const n = 8
    const ones = new Float32Array(n).fill(1)
    const drive = async (
      device: Device,
      steps: number,
      readEvery: number,
    ): Promise<{ live: Set<number>; state: Output; losses: number[] }> => {
      const program = await loadOn(device, accumulate(n))
      let [state, loss] = await program.run([new Float32Array(n), ones])
      const live = new Set<number>()
      const losses: number[] = []
      for (let i = 1; i < steps; i++) {
        ;[state, loss] = await program.run([state!, ones])
        if ((i + 1) % readEvery === 0) losses.push((await read(loss))[0]!)
        if (i > 32) live.add(device.liveBytes())
      }
      return { live, state: state!, losses }
    }

    it('stays on the device over 10,000 steps with constant live bytes', async () => {
      const device = await open()
      const { live, state, losses } = await drive(device, 10_000, 1000)
      expect(losses).toEqual(Array.from({ length: 10 }, (_, i) => n * 1000 * (i + 1)))
      expect(await read(state)).toEqual(Array.from(new Float32Array(n).fill(10_000)))
      expect(live.size).toBe(1)
      device.destroy()
    })

    it('keeps live bytes constant when every loss is read', async () => {
      const device = await open()
      const { live, losses } = await drive(device, 200, 1)
      expect(losses.at(-1)).toBe(n * 200)
      expect(live.size).toBe(1)
      device.destroy()
    })

    it('reads a resident many times, and values that nobody read for long', async () => {
      const program = await loadShared(accumulate(n))
      const first = await program.run([new Float32Array(n), ones])
      expect(await read(first[0])).toEqual(Array.from(ones))
      expect(await read(first[0])).toEqual(Array.from(ones))
      let state = first[0]!
      for (let i = 0; i < 40; i++) state = (await program.run([state, ones]))[0]!
      expect(await read(first[1])).toEqual([n])
      expect(await read(state)).toEqual(Array.from(new Float32Array(n).fill(41)))
    })

    it('refuses a consumed handle, as an argument and for reading, and names the path', async () => {
      const program = await loadShared(accumulate(n))
      const state = kept((await program.run([new Float32Array(n), ones]))[0])
      const next = kept((await program.run([state, ones]))[0])
      expect([state.consumed, next.consumed]).toEqual([true, false])
      expect(await failure(program.run([state, ones]))).toMatchObject({ tag: 'ConsumedHandle', path: '[0].w' })
      expect(await failure(state.read())).toMatchObject({ tag: 'ConsumedHandle', path: 'state.w' })
      expect(await read(next)).toEqual(Array.from(new Float32Array(n).fill(2)))
    })

    it('changes nothing when an argument is refused', async () => {
      const program = await loadShared(accumulate(n))
      const state = kept((await program.run([new Float32Array(n), ones]))[0])
      expect(await failure(program.run([state, floats(1)]))).toMatchObject({ tag: 'ArgumentError', path: '[1]' })
      expect(state.consumed).toBe(false)
      expect(await read((await program.run([state, ones]))[1])).toEqual([2 * n])
    })

    it('never overwrites a handle somebody holds', async () => {
      const program = await loadShared(accumulate(n))
      const fives = new Float32Array(n).fill(5)
      const old = kept((await program.run([new Float32Array(n), ones]))[0])
      const other = kept((await program.run([fives, ones]))[0])
      expect(await read(old)).toEqual(Array.from(ones))
      expect(await read(other)).toEqual(Array.from(new Float32Array(n).fill(6)))
      const [both] = await program.run([old, ones])
      expect(await read(both)).toEqual(Array.from(new Float32Array(n).fill(2)))
      expect(await read(other)).toEqual(Array.from(new Float32Array(n).fill(6)))
    })

    it('takes a resident in a slot that is not its own', async () => {
      const program = await loadShared(accumulate(n))
      const state = kept((await program.run([new Float32Array(n), ones]))[0])
      // As the second argument it is not donated: it moves out of the way of the new state and stays valid.
      const [sum] = await program.run([new Float32Array(n).fill(10), state])
      expect(await read(sum)).toEqual(Array.from(new Float32Array(n).fill(11)))
      expect(await read(state)).toEqual(Array.from(ones))
      // In both slots at once: state + state.
      const [twice, loss] = await program.run([sum!, sum!])
      expect(await read(twice)).toEqual(Array.from(new Float32Array(n).fill(22)))
      expect(await read(loss)).toEqual([22 * n])
      expect(kept(sum).consumed).toBe(true)
    })

    it('swaps two states in place', async () => {
      const bytes = 16
      const [a, b] = [place(0, 0, bytes), place(0, 256, bytes)]
      const program = await loadShared(
        planOf({
          arenas: [512],
          kernels: [
            kernelOf(
              'tag',
              [
                ['f32', 'read_write'],
                ['f32', 'read_write'],
              ],
              (i, [a, b]) => [
                k.ifStmt(k.lt(i, k.u32(4)), [
                  k.store(a!, i, k.add(k.load(a!, i), k.lit(1))),
                  k.store(b!, i, k.add(k.load(b!, i), k.lit(2))),
                ]),
              ],
            ),
          ],
          steps: [{ kind: 'dispatch', kernel: 0, workgroups: 1, bindings: [a, b] }],
          inputs: [input('a', [4], 'f32', a, { donated: true }), input('b', [4], 'f32', b, { donated: true })],
          outputs: [
            output('a', [4], 'f32', a, { keep: true, inPlaceOf: 0 }),
            output('b', [4], 'f32', b, { keep: true, inPlaceOf: 1 }),
          ],
        }),
      )
      const [x, y] = await program.run([
        [0, 0, 0, 0],
        [10, 10, 10, 10],
      ])
      const [z, w] = await program.run([y!, x!])
      expect([await read(z), await read(w)]).toEqual([
        [13, 13, 13, 13],
        [3, 3, 3, 3],
      ])
      expect(await failure(program.run([z!, z!]))).toMatchObject({ tag: 'ArgumentError', path: 'b' })
    })
  })

  describe('kept results without donation', () => {
    it('live side by side', async () => {
      const program = await loadShared(affine(3, true))
      const [a] = await program.run([floats(1, 2, 3)])
      const [b] = await program.run([floats(10, 20, 30)])
      const [c] = await program.run([a!])
      expect([await read(a), await read(b), await read(c)]).toEqual([
        [3, 5, 7],
        [21, 41, 61],
        [7, 11, 15],
      ])
      expect(kept(a).consumed).toBe(false)
    })

    it('are put back where a host array lay in between', async () => {
      const [train, predict] = [await loadShared(accumulate(4)), await loadShared(affine(4, false))]
      const [state] = await train.run([new Float32Array(4), floats(1, 2, 3, 4)])
      const results: number[][] = []
      for (const x of [state!, floats(10, 20, 30, 40), state!, state!, floats(0, 0, 0, 0), state!])
        results.push(await read((await predict.run([x]))[0]))
      const ofState = [3, 5, 7, 9]
      expect(results).toEqual([ofState, [21, 41, 61, 81], ofState, ofState, [1, 1, 1, 1], ofState])
    })

    it('go from one program to another with one copy, and none when passed again', async () => {
      const device = await open()
      const [train, predict] = [await loadOn(device, accumulate(4)), await loadOn(device, affine(4, false))]
      const [state] = await train.run([new Float32Array(4), floats(1, 2, 3, 4)])
      const counter = countCalls(device)
      const [y] = await predict.run([state!])
      expect(counter.read()).toMatchObject({ copies: 2, copiedBytes: 32, uploads: 0, submits: 1 })
      counter.reset()
      const [again] = await predict.run([state!])
      expect(counter.read()).toMatchObject({ copies: 1, copiedBytes: 16, uploads: 0, submits: 1 })
      expect([await read(y), await read(again)]).toEqual([
        [3, 5, 7, 9],
        [3, 5, 7, 9],
      ])
      const [next] = await train.run([state!, floats(1, 1, 1, 1)])
      expect(await read((await predict.run([next!]))[0])).toEqual([5, 7, 9, 11])
      expect(await failure(predict.run([state!]))).toMatchObject({ tag: 'ConsumedHandle', path: '[0]' })
      device.destroy()
    })
  })
})
