/** `tensorloom devices`: the adapter that programs run on by default, and what it grants. */
import type { Profile } from '../../passes/profile.ts'
import { wantedLimits } from '../runtime/gpu/device.ts'
import { openDevice, profileOf } from '../runtime/open-device.ts'
import { heading, table } from './spelling.ts'

/** What there is to know about the device that `openDevice` picks. */
export interface DeviceReport {
  readonly kind: 'hardware' | 'software'
  readonly description: string
  readonly features: readonly string[]
  readonly limits: Readonly<Record<string, number>>
  /** What plans made for this very device are made against. */
  readonly profile: Profile
}

/** Opens the default device and reports on it. Rejects with NoAdapter (TensorloomError) where there is none. */
export const devices = async (): Promise<DeviceReport> => {
  const device = await openDevice({ quiet: true })
  const { kind, description, gpu } = device
  const report: DeviceReport = {
    kind,
    description,
    features: [...gpu.features].sort(),
    limits: Object.fromEntries(wantedLimits.map((name) => [name, gpu.limits[name]])),
    profile: profileOf(device),
  }
  device.destroy()
  return report
}

/** The report as text. */
export const showDevices = ({ kind, description, features, limits, profile }: DeviceReport): string =>
  [
    `${heading(description)} (${kind})`,
    '',
    heading('limits'),
    table(Object.entries(limits).map(([name, value]) => [`  ${name}`, String(value)])),
    '',
    heading('features'),
    `  ${features.join(', ') || 'none'}`,
    '',
    heading(`profile ${profile.name}`),
    `  schedule ${profile.schedule}, used features ${profile.features.join(', ') || 'none'}`,
  ].join('\n')
