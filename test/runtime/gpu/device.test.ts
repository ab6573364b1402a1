/** Opening devices: an adapter exists, its grants are used, and its absence is a typed error. */
import { describe, expect, it } from 'vitest'
import { portable } from '../../../codegen/targets/wgsl/profiles.ts'
import { TensorloomError } from '../../../src/lang/errors.ts'
import { standingDevice } from '../../../src/runtime/device.ts'
import { adoptDevice } from '../../../src/runtime/gpu/device.ts'
import { openDevice, profileOf } from '../../../src/runtime/open-device.ts'
import { sharedDevice } from '../../device.ts'

describe('openDevice', () => {
  it('finds an adapter on every machine the tests run on', async () => {
    const device = await sharedDevice()
    expect(device.lost()).toBeUndefined()
    expect(device.description).not.toBe('')
  })

  it('asks for more than the portable limits where the adapter has more', async () => {
    const device = await sharedDevice()
    const profile = profileOf(device)
    expect(profile.storageBuffers).toBeGreaterThanOrEqual(portable.storageBuffers)
    expect(profile.maxBindingBytes).toBeGreaterThan(portable.maxBindingBytes)
    expect(profile.schedule).toBe(device.kind === 'software' ? 'serial' : 'cooperative')
  })

  it('gives every device its own generation', async () => {
    const [a, b] = [await sharedDevice(), await openDevice({ quiet: true })]
    expect(b.generation).toBeGreaterThan(a.generation)
    b.destroy()
    expect((await b.whenLost).tag).toBe('DeviceLost')
    expect(a.lost()).toBeUndefined()
  })

  it('refuses options that it does not know', async () => {
    await expect(openDevice({ prefer: 'sofware' as never })).rejects.toThrow(
      "T.openDevice: the preference is 'sofware'",
    )
    await expect(openDevice({ perfer: 'software' } as never)).rejects.toThrow("there is no option 'perfer'")
    for (const options of [null, 'software', { provider: 5 }, { threads: 1.5 }, { quiet: 'yes' }, { dawn: 'x' }])
      expect(await openDevice(options as never).catch((e: unknown) => e)).toBeInstanceOf(TensorloomError)
  })

  it('says NoAdapter with a way out when there is none', async () => {
    const error = await openDevice({ provider: async () => null }).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(TensorloomError)
    expect((error as TensorloomError).error).toMatchObject({ tag: 'NoAdapter', hint: expect.stringContaining('npm i') })
  })
})

describe('adoptDevice', () => {
  it.each([
    [null, 'null'],
    [{}, 'object'],
    [undefined, 'undefined'],
  ])('refuses %j', (given, shown) => {
    const message = `T.adoptDevice: the first argument is ${shown}, not a GPUDevice`
    expect(() => adoptDevice(given as never, 'hardware', 'mine')).toThrow(message)
  })
})

describe('standingDevice', () => {
  it('opens anew after a failure, and only then', async () => {
    const device = await sharedDevice()
    const failed = openDevice({ provider: async () => null })
    expect(await standingDevice(failed, async () => device)).toBe(device)
    expect(await standingDevice(Promise.resolve(device), () => failed)).toBe(device)
    await expect(standingDevice(undefined, () => failed)).rejects.toThrow(TensorloomError)
  })
})
