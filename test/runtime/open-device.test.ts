/** Which device is opened: what was asked for, what the environment says, else a hardware GPU or the processor. */
import { afterEach, describe, expect, it } from 'vitest'
import { TensorloomError } from '../../src/lang/errors.ts'
import { openDevice } from '../../src/runtime/open-device.ts'

const variable = 'TENSORLOOM_DEVICE'
const ofTheTests = process.env[variable]

afterEach(() => {
  process.env[variable] = ofTheTests
})

/** The kind that is opened where the environment says `wish`. */
const opened = async (wish: string | undefined, prefer?: 'auto' | 'cpu'): Promise<string> => {
  if (wish === undefined) delete process.env[variable]
  else process.env[variable] = wish
  const device = await openDevice({ quiet: true, ...(prefer ? { prefer } : {}) })
  device.destroy()
  return device.kind
}

describe('auto', () => {
  it('is a hardware GPU or the processor, never a software GPU', async () => {
    const hardware = await openDevice({ prefer: 'hardware', quiet: true }).catch((e: unknown) => e)
    const best = hardware instanceof TensorloomError ? 'cpu' : 'hardware'
    const found = [await opened(undefined), await opened(undefined, 'auto'), await opened('')]
    expect(found).toEqual([best, best, best])
  })

  it('is what the environment says: the first of a list that is there', async () => {
    expect([await opened('cpu'), await opened('cpu,software'), await opened('software,cpu')]).toEqual([
      'cpu',
      'cpu',
      'software',
    ])
    expect(await opened('software', 'cpu')).toBe('cpu')
  })

  it('is a mistake where the environment names what there is not', async () => {
    process.env[variable] = 'hardware,gpu'
    await expect(openDevice()).rejects.toThrow(
      "T.openDevice: the environment variable TENSORLOOM_DEVICE names 'gpu'\n  hint: it is a list of hardware, cpu, software",
    )
  })
})
