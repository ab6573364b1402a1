/** Random programs and gradients in WGSL on the shared device (Dawn) agree with the reference interpreter. */
import { describe, test } from 'vitest'
import { portable } from '../../codegen/targets/wgsl/profiles.ts'
import type { Op } from '../../src/lang/ir.ts'
import { primitives } from '../../src/lang/ops/primitive-table.ts'
import { profileOf } from '../../src/runtime/open-device.ts'
import { descentOf } from '../../src/testing/derivative.ts'
import { sharedDevice } from '../device.ts'
import { runs } from './harness.ts'
import { agreesOn, disagreementOn, type OnDevice } from './on-device.ts'

const timeout = 60 * 60_000
const seed = 44

/** Once as any device can, arguments kept, and once as this one can, arguments given away. */
const onDevice: OnDevice = async (list, subnormals) => {
  const device = await sharedDevice()
  return (
    (await disagreementOn(list, { device, profile: portable, subnormals: 'device', donate: false })) ??
    (await disagreementOn(list, { device, profile: profileOf(device), subnormals, donate: true }))
  )
}

describe('random programs in WGSL', () => {
  test('values', { timeout }, () =>
    agreesOn(onDevice, { name: 'values', seed, count: runs(120, 2000), subject: (s) => s }),
  )
  test('steps of descent', { timeout }, () =>
    agreesOn(onDevice, {
      name: 'steps of descent',
      seed,
      count: runs(100, 1000),
      subject: descentOf,
      options: { maxNodes: 30, without: ['while'] },
    }),
  )
  // Only derivatives bring customLinear about, and they transpose it away.
  const ops = (Object.keys(primitives) as readonly Op[]).filter((op) => op !== 'customLinear')
  test('values of every primitive', { timeout }, () =>
    agreesOn(onDevice, {
      name: 'every primitive',
      seed,
      count: runs(96, 1000),
      subject: (s) => s,
      options: { maxNodes: 25, ops },
    }),
  )
  test('steps of descent through loops and branches', { timeout }, () =>
    agreesOn(onDevice, {
      name: 'through loops',
      seed,
      count: runs(50, 500),
      subject: descentOf,
      options: { maxNodes: 15, ops: ops.filter((op) => op !== 'while') },
    }),
  )
})
