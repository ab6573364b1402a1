/** What goes wrong: each mistake and each failure of the device is a typed error, never zeros and never silence. */
import { describe, expect, it } from 'vitest'
import type { InputSlot, Plan } from '../../codegen/plan/plan.ts'
import { portable } from '../../codegen/targets/wgsl/profiles.ts'
import { TensorloomError } from '../../src/lang/errors.ts'
import type { Argument } from '../../src/runtime/argument.ts'
import { loadPlan } from '../../src/runtime/execute.ts'
import type { GpuDevice } from '../../src/runtime/gpu/device.ts'
import { foldGrid } from '../../src/runtime/gpu/fit-device.ts'
import { openDevice } from '../../src/runtime/open-device.ts'
import { sharedDevice } from '../device.ts'
import { accumulate, affine, input, kernelOf, output, place, planOf } from './plans.ts'

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
    const program = await loadPlan(await sharedDevice(), echo(slot))
    const error = await failure(program.run(args as readonly Argument[]))
    expect(error).toMatchObject({ tag: 'ArgumentError', reason: expect.stringMatching(reason) })
    if (args.length < 2) expect(error).toMatchObject({ path: '[0].x' })
  })

  it('refuses a resident of another shape or dtype, and a value that is not on the device', async () => {
    const device = await sharedDevice()
    const [kept] = await (await loadPlan(device, affine(6, true))).run([new Float32Array(6)])
    const [value] = await (await loadPlan(device, affine(6, false))).run([new Float32Array(6)])
    const matrix = await loadPlan(device, echo(f23))
    expect(await failure(matrix.run([kept!]))).toMatchObject({
      tag: 'ArgumentError',
      reason: expect.stringContaining('f32[6]'),
    })
    expect(await failure(matrix.run([value!]))).toMatchObject({
      tag: 'ArgumentError',
      hint: expect.stringContaining('keep'),
    })
    const ints = await loadPlan(device, echo({ shape: [6], dtype: 'i32' }))
    expect(await failure(ints.run([kept!]))).toMatchObject({ tag: 'ArgumentError', path: '[0].x' })
  })

  it.each([
    [[0, 1, 2, 3, 10, 5], 10, [1, 1]],
    [[0, -1, 2, 3, 4, 5], -1, [0, 1]],
    [[0, 1, 2, 3, 4, 2 ** 31 - 1], 2 ** 31 - 1, [1, 2]],
  ])('refuses an index out of range and says where (%j)', async (values, index, position) => {
    const program = await loadPlan(
      await sharedDevice(),
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

describe('plans that do not fit', () => {
  const [x, y] = [place(0, 0, 4), place(1, 0, 4)]
  const oneKernel = (kernel: ReturnType<typeof kernelOf>, arenas: readonly number[] = [4, 4]): Plan =>
    planOf({
      arenas,
      kernels: [kernel],
      steps: [
        {
          kind: 'dispatch',
          kernel: 0,
          workgroups: 1,
          bindings: kernel.kernel.bindings.map((b) => (b.access === 'read' ? x : y)),
        },
      ],
      inputs: [input('[0]', [1], 'f32', x)],
      outputs: [output('', [1], 'f32', y)],
    })

  it('says the kernel and the line of a shader error', async () => {
    const broken = oneKernel(
      kernelOf(
        'wrong',
        [
          ['f32', 'read'],
          ['f32', 'read_write'],
        ],
        'b1[i] = b0[i] + nowhere;',
      ),
    )
    const error = await failure(loadPlan(await sharedDevice(), broken))
    expect(error).toMatchObject({
      tag: 'ValidationError',
      message: expect.stringMatching(/kernel wrong does not compile\n {2}6:19 .*nowhere/),
    })
    // The failure is not remembered as a pipeline.
    expect(await failure(loadPlan(await sharedDevice(), broken))).toMatchObject({ tag: 'ValidationError' })
  })

  it('says when a shader and its bindings disagree', async () => {
    const { kernel, ...code } = kernelOf(
      'writes',
      [
        ['f32', 'read'],
        ['f32', 'read_write'],
      ],
      'b1[i] = b0[i];',
    )
    const lying = {
      ...code,
      kernel: { ...kernel, bindings: kernel.bindings.map((b) => ({ ...b, access: 'read' as const })) },
    }
    expect(await failure(loadPlan(await sharedDevice(), oneKernel(lying)))).toMatchObject({
      tag: 'ValidationError',
      message: expect.stringContaining('writes'),
    })
  })

  it('refuses a binding that is read and written in one dispatch, at the result and in all later runs', async () => {
    const plan = oneKernel(
      kernelOf(
        'alias',
        [
          ['f32', 'read'],
          ['f32', 'read_write'],
        ],
        'if (i == 0u) { b1[i] = b0[i]; }',
      ),
    )
    const aliased = {
      ...plan,
      arenas: [512],
      steps: [{ kind: 'dispatch' as const, kernel: 0, workgroups: 1, bindings: [x, place(0, 256, 4)] }],
      outputs: [output('', [1], 'f32', place(0, 256, 4))],
    }
    const program = await loadPlan(await sharedDevice(), aliased)
    const outcome = await failure(program.run([1]).then(([o]) => o!.read()))
    expect(outcome).toMatchObject({ tag: 'ValidationError' })
    expect(await failure(program.run([1]))).toMatchObject({ tag: 'ValidationError' })
  })

  it('refuses too many bindings, threads, workgroup bytes, bytes of a buffer, workgroups', async () => {
    const device = await sharedDevice()
    const { limits } = device.gpu
    const over = (plan: Plan): Promise<unknown> => failure(loadPlan(device, plan))
    const pair = [
      ['f32', 'read'],
      ['f32', 'read_write'],
    ] as const
    const limit = limits.maxStorageBuffersPerShaderStage
    const many = Array.from({ length: limit + 1 }, () => ['f32', 'read'] as const)
    expect(await over(oneKernel(kernelOf('k', many, '')))).toMatchObject({
      tag: 'LimitError',
      needed: limit + 1,
      limit,
    })
    const threads = limits.maxComputeInvocationsPerWorkgroup
    expect(await over(oneKernel(kernelOf('k', pair, '', threads + 1)))).toMatchObject({
      tag: 'LimitError',
      limit: threads,
    })
    const shared = kernelOf('k', pair, '')
    const size = limits.maxComputeWorkgroupStorageSize / 4 + 1
    const array = { name: 't', space: 'workgroup', element: { scalar: 'f32', width: 1 }, size } as const
    expect(await over(oneKernel({ ...shared, kernel: { ...shared.kernel, arrays: [array] } }))).toMatchObject({
      tag: 'LimitError',
      limit: limits.maxComputeWorkgroupStorageSize,
    })
    const whole = { ...portable, maxBindingBytes: 2 ** 40, maxBufferBytes: 2 ** 40 }
    const large = { ...oneKernel(shared, [limits.maxBufferSize + 16, 4]), profile: whole }
    expect(await over(large)).toMatchObject({
      tag: 'LimitError',
      limit: limits.maxBufferSize,
    })
    const before = device.liveBytes()
    const huge = {
      ...oneKernel(shared),
      steps: [{ kind: 'dispatch' as const, kernel: 0, workgroups: 65535 ** 2 + 1, bindings: [x, y] }],
    }
    expect(await over(huge)).toMatchObject({ tag: 'LimitError', limit: 65535 ** 2 })
    expect(device.liveBytes()).toBe(before)
  })

  it('refuses a feature the device was not given', async () => {
    const { adapter } = await import('../../src/runtime/gpu/adapter.ts').then(
      async (m) => (await m.findAdapter('auto', []))!,
    )
    const bare = await (await import('../../src/runtime/gpu/device.ts')).adoptDevice(
      await adapter.requestDevice(),
      'software',
      'bare',
    )
    const half = kernelOf(
      'half',
      [
        ['f32', 'read'],
        ['f32', 'read_write'],
      ],
      '',
      64,
      'enable f16;\n',
    )
    expect(await failure(loadPlan(bare, oneKernel(half)))).toMatchObject({
      tag: 'UnsupportedFeature',
      feature: 'shader-f16',
    })
    bare.destroy()
  })
})

describe('foldGrid', () => {
  it('covers every workgroup within the side, and wastes less than a row', () => {
    for (const side of [1, 2, 6, 65535])
      for (const n of [0, 1, 2, 5, 6, 7, 35, 36, 65535, 65536, 1_000_003].filter((n) => n <= side * side)) {
        const [x, y] = foldGrid(n, side)
        expect(x <= side && y <= side && x * y >= n && x * y - n < Math.max(1, x)).toBe(true)
      }
  })
})

describe('a lost device', () => {
  const n = 4
  const ones = new Float32Array(n).fill(1)
  /** Loses the device behind the runtime's back. */
  const lose = (device: GpuDevice): void => device.gpu.destroy()

  it('rejects runs and reads in flight and later with DeviceLost, and the program goes on after reload', async () => {
    const device = await openDevice({ quiet: true })
    const program = await loadPlan(device, accumulate(n))
    const first = await program.run([new Float32Array(n), ones])
    const saved = await first[0]!.read()
    const [state, loss] = await program.run([first[0]!, ones])
    const inFlight = loss!.read()
    lose(device)
    expect(await failure(inFlight)).toMatchObject({ tag: 'DeviceLost' })
    expect(await failure(state!.read())).toMatchObject({ tag: 'DeviceLost' })
    expect(await failure(program.run([state!, ones]))).toMatchObject({ tag: 'DeviceLost' })
    expect(await failure(loadPlan(device, accumulate(n)))).toMatchObject({ tag: 'DeviceLost' })

    const fresh = await openDevice({ quiet: true })
    const again = await program.reload(fresh)
    expect(await failure(again.run([state!, ones]))).toMatchObject({ tag: 'DeviceLost' })
    const [next, sum] = await again.run([saved, ones])
    expect([Array.from(await next!.read()), Array.from(await sum!.read())]).toEqual([[2, 2, 2, 2], [8]])
    fresh.destroy()
  })

  it('never hands out zeros for a run that was submitted after the loss was not yet known', async () => {
    const device = await openDevice({ quiet: true })
    const program = await loadPlan(device, accumulate(n))
    lose(device)
    const outcome = await failure(program.run([ones, ones]).then(([, loss]) => loss!.read()))
    expect(outcome).toMatchObject({ tag: 'DeviceLost' })
    expect(await failure(program.run([ones, ones]))).toMatchObject({ tag: 'DeviceLost' })
  })

  it('says DeviceLost while loading', async () => {
    const device = await openDevice({ quiet: true })
    const loading = loadPlan(device, accumulate(n))
    lose(device)
    expect(await failure(loading)).toMatchObject({ tag: 'DeviceLost' })
  })

  it('refuses a handle of another live device', async () => {
    const [a, b] = [await sharedDevice(), await openDevice({ quiet: true })]
    const [state] = await (await loadPlan(a, accumulate(n))).run([ones, ones])
    const other = await loadPlan(b, accumulate(n))
    expect(await failure(other.run([state!, ones]))).toMatchObject({
      tag: 'ArgumentError',
      reason: expect.stringContaining('another device'),
    })
    b.destroy()
  })
})
