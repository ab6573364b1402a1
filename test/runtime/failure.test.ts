/** What goes wrong: each mistake and each failure of the device is a typed error, never zeros and never silence. */
import { describe, expect, it } from 'vitest'
import type { InputSlot, Plan } from '../../codegen/plan/plan.ts'
import { TensorloomError } from '../../src/lang/errors.ts'
import type { Argument } from '../../src/runtime/argument.ts'
import type { Device } from '../../src/runtime/device.ts'
import { type Executable, loadPlan } from '../../src/runtime/execute.ts'
import { eachDevice } from './each-device.ts'
import { accumulate, affine, input, output, place, planFor, planOf } from './plans.ts'

const failure = async (p: Promise<unknown>): Promise<unknown> => {
  const e = await p.then(
    () => undefined,
    (x: unknown) => x,
  )
  expect(e).toBeInstanceOf(TensorloomError)
  return (e as TensorloomError).error
}

/** A program that only moves its one input to its one output. */
const echo = (slot: Partial<InputSlot> & Pick<InputSlot, 'shape' | 'dtype'>): Plan =>
  planOf({
    arenas: [256],
    kernels: [],
    steps: [],
    inputs: [{ ...input('[0].x', slot.shape, slot.dtype, place(0, 0, 256)), ...slot }],
    outputs: [output('', slot.shape, slot.dtype, place(0, 0, 256))],
  })

describe.each(eachDevice)('on the $name', ({ shared, open }) => {
  const loadOn = (device: Device, plan: Plan): Promise<Executable> => loadPlan(device, planFor(device, plan))
  describe('arguments', () => {
    const f23 = { shape: [2, 3], dtype: 'f32' } as const
    const cases: readonly (readonly [string, Parameters<typeof echo>[0], readonly unknown[], RegExp])[] = [
      ['a missing leaf', f23, [], /missing, f32\[2, 3\]/],
      ['a null leaf', f23, [null], /missing/],
      ['too few elements', f23, [new Float32Array(5)], /5 elements, f32\[2, 3\] has 6/],
      ['too many elements', f23, [new Float32Array(7)], /7 elements/],
      ['a number for a matrix', f23, [1], /1 elements/],
      ['integers for floats', f23, [new Int32Array(6)], /Int32Array for f32\[2, 3\]/],
      ['floats for integers', { shape: [2], dtype: 'i32' }, [new Float32Array(2)], /Float32Array for i32\[2\]/],
      ['unsigned for signed', { shape: [2], dtype: 'i32' }, [new Uint32Array(2)], /Uint32Array/],
      ['a fraction for an integer', { shape: [2], dtype: 'i32' }, [[1, 1.5]], /element 1 is 1.5, which is no i32/],
      ['a negative for unsigned', { shape: [1], dtype: 'u32' }, [[-1]], /-1, which is no u32/],
      ['a bool for a float', { shape: [1], dtype: 'f32' }, [[true]], /boolean/],
      [
        'nested arrays',
        f23,
        [
          [
            [1, 2, 3],
            [4, 5, 6],
          ],
        ],
        /element 0 is a list/,
      ],
      ['a string', f23, ['x'], /got string/],
      ['an object', f23, [{}], /got object/],
      ['an argument too many', f23, [new Float32Array(6), new Float32Array(6)], /one too many/],
    ]
    it.each(cases)('refuses %s', async (_, slot, args, reason) => {
      const program = await loadOn(await shared(), echo(slot))
      const error = await failure(program.run(args as readonly Argument[]))
      expect(error).toMatchObject({ tag: 'ArgumentError', reason: expect.stringMatching(reason) })
      if (args.length < 2) expect(error).toMatchObject({ path: '[0].x' })
    })

    it('refuses a result of another shape or dtype, wherever it is', async () => {
      const device = await shared()
      const [kept] = await (await loadOn(device, affine(6, true))).run([new Float32Array(6)])
      const [value] = await (await loadOn(device, affine(6, false))).run([new Float32Array(6)])
      const matrix = await loadOn(device, echo(f23))
      expect(await failure(matrix.run([kept!]))).toMatchObject({
        tag: 'ArgumentError',
        reason: expect.stringContaining('f32[6]'),
      })
      expect(await failure(matrix.run([value!]))).toMatchObject({
        tag: 'ArgumentError',
        reason: 'got shape [6], f32[2, 3] was expected',
      })
      const ints = await loadOn(device, echo({ shape: [6], dtype: 'i32' }))
      for (const result of [kept!, value!])
        expect(await failure(ints.run([result]))).toMatchObject({ tag: 'ArgumentError', path: '[0].x' })
    })

    it.each([
      [[0, 1, 2, 3, 10, 5], 10, [1, 1]],
      [[0, -1, 2, 3, 4, 5], -1, [0, 1]],
      [[0, 1, 2, 3, 4, 2 ** 31 - 1], 2 ** 31 - 1, [1, 2]],
    ])('refuses an index out of range and says where (%j)', async (values, index, position) => {
      const program = await loadOn(
        await shared(),
        echo({ shape: [2, 3], dtype: 'i32', indexOf: [{ size: 10, op: 'gather' }] }),
      )
      expect(await failure(program.run([Int32Array.from(values)]))).toMatchObject({
        tag: 'IndexError',
        op: 'gather',
        size: 10,
        index,
        position,
      })
      expect(Array.from(await (await program.run([[0, 9, 1, 2, 3, 4]]))[0]!.read())).toEqual([0, 9, 1, 2, 3, 4])
    })
  })

  describe('a lost device', () => {
    const n = 4
    const ones = new Float32Array(n).fill(1)
    /** Loses the device, a GPU behind the runtime's back. */
    const lose = (device: Device): void => (device.gpu ?? device).destroy()

    it('rejects runs and reads in flight and later with DeviceLost, and the program goes on after reload', async () => {
      const device = await open()
      const program = await loadOn(device, accumulate(n))
      const first = await program.run([new Float32Array(n), ones])
      const saved = await first[0]!.read()
      const [state, loss] = await program.run([first[0]!, ones])
      const inFlight = loss!.read()
      lose(device)
      expect(await failure(inFlight)).toMatchObject({ tag: 'DeviceLost' })
      expect(await failure(state!.read())).toMatchObject({ tag: 'DeviceLost' })
      expect(await failure(program.run([state!, ones]))).toMatchObject({ tag: 'DeviceLost' })
      expect(await failure(loadOn(device, accumulate(n)))).toMatchObject({ tag: 'DeviceLost' })

      const fresh = await open()
      const again = await program.reload(fresh)
      expect(await failure(again.run([state!, ones]))).toMatchObject({ tag: 'DeviceLost' })
      const [next, sum] = await again.run([saved, ones])
      expect([Array.from(await next!.read()), Array.from(await sum!.read())]).toEqual([[2, 2, 2, 2], [8]])
      fresh.destroy()
    })

    it('never hands out zeros for a run that was submitted after the loss was not yet known', async () => {
      const device = await open()
      const program = await loadOn(device, accumulate(n))
      lose(device)
      const outcome = await failure(program.run([ones, ones]).then(([, loss]) => loss!.read()))
      expect(outcome).toMatchObject({ tag: 'DeviceLost' })
      expect(await failure(program.run([ones, ones]))).toMatchObject({ tag: 'DeviceLost' })
    })

    it('says DeviceLost while loading', async () => {
      const device = await open()
      const loading = loadOn(device, accumulate(n))
      lose(device)
      expect(await failure(loading)).toMatchObject({ tag: 'DeviceLost' })
    })

    it('refuses a handle of another live device', async () => {
      const [a, b] = [await shared(), await open()]
      const [state] = await (await loadOn(a, accumulate(n))).run([ones, ones])
      const other = await loadOn(b, accumulate(n))
      expect(await failure(other.run([state!, ones]))).toMatchObject({
        tag: 'ArgumentError',
        reason: expect.stringContaining('another device'),
      })
      b.destroy()
    })
  })
})
