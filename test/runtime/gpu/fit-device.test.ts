/** Plans that a GPU cannot run are refused before or where it refuses them, with both numbers or its own words. */
import { describe, expect, it } from 'vitest'
import type { Plan } from '../../../codegen/plan/plan.ts'
import { portable } from '../../../codegen/targets/wgsl/profiles.ts'
import { TensorloomError } from '../../../src/lang/errors.ts'
import { loadPlan } from '../../../src/runtime/execute.ts'
import { foldGrid } from '../../../src/runtime/gpu/fit-device.ts'
import { sharedDevice } from '../../device.ts'
import { input, output, place, planOf, textKernel } from '../plans.ts'

const failure = async (p: Promise<unknown>): Promise<unknown> => {
  const e = await p.then(
    () => undefined,
    (x: unknown) => x,
  )
  expect(e).toBeInstanceOf(TensorloomError)
  return (e as TensorloomError).error
}

describe('plans that do not fit', () => {
  const [x, y] = [place(0, 0, 4), place(1, 0, 4)]
  const oneKernel = (kernel: ReturnType<typeof textKernel>, arenas: readonly number[] = [4, 4]): Plan =>
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
      textKernel(
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
    const { kernel, ...code } = textKernel(
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
      textKernel(
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
    expect(await over(oneKernel(textKernel('k', many, '')))).toMatchObject({
      tag: 'LimitError',
      needed: limit + 1,
      limit,
    })
    const threads = limits.maxComputeInvocationsPerWorkgroup
    expect(await over(oneKernel(textKernel('k', pair, '', threads + 1)))).toMatchObject({
      tag: 'LimitError',
      limit: threads,
    })
    const shared = textKernel('k', pair, '')
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
    const { adapter } = await import('../../../src/runtime/gpu/find-adapter.ts').then(
      async (m) => (await m.findAdapter('auto', []))!,
    )
    const bare = await (await import('../../../src/runtime/gpu/device.ts')).adoptDevice(
      await adapter.requestDevice(),
      'software',
      'bare',
    )
    const half = textKernel(
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
