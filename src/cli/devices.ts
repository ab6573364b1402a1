/** `tensorloom devices`: what programs can run on here, the default first, and what each grants. */
import type { Profile } from '../../passes/profile.ts'
import { type RuntimeError, TensorloomError } from '../lang/errors.ts'
import { columnsText } from '../lang/print/columns.ts'
import type { Device } from '../runtime/device.ts'
import { wantedLimits } from '../runtime/gpu/device.ts'
import { openDevice, type Preference, profileOf } from '../runtime/open-device.ts'
import { heading } from './spelling.ts'

/** What there is to know about a device. */
export interface DeviceReport {
  readonly kind: Device['kind']
  readonly description: string
  /** Of a GPU. */
  readonly features: readonly string[]
  readonly limits: Readonly<Record<string, number>>
  /** What plans made for this very device are made against. */
  readonly profile: Profile
}

const reportOn = (device: Device): DeviceReport => {
  const { kind, description, gpu } = device
  return {
    kind,
    description,
    features: gpu ? [...gpu.features].sort() : [],
    limits: gpu ? Object.fromEntries(wantedLimits.map((name) => [name, gpu.limits[name]])) : {},
    profile: profileOf(device),
  }
}

/** The report on a device of this kind; undefined where there is none. */
const report = async (prefer: Preference): Promise<DeviceReport | undefined> => {
  try {
    const device = await openDevice({ prefer, quiet: true })
    const found = reportOn(device)
    device.destroy()
    // A hardware adapter may turn out to be a software one.
    return found.kind === prefer || prefer === 'auto' ? found : undefined
  } catch (e) {
    if (e instanceof TensorloomError && (e.error as RuntimeError).tag === 'NoAdapter') return undefined
    throw e
  }
}

/** Opens and reports on every device that there is, first the one that `openDevice` picks. */
export const devices = async (): Promise<readonly DeviceReport[]> => {
  const found: DeviceReport[] = []
  for (const prefer of ['auto', 'hardware', 'cpu', 'software'] as const)
    if (!found.some((d) => d.kind === prefer)) found.push(...[await report(prefer)].filter((d) => d !== undefined))
  return found
}

const showDevice = ({ kind, description, features, limits, profile }: DeviceReport, isDefault: boolean): string =>
  [
    `${heading(description)} (${kind}${isDefault ? ', the default' : ''})`,
    ...(Object.keys(limits).length === 0
      ? []
      : [
          '',
          heading('limits'),
          columnsText(Object.entries(limits).map(([name, value]) => [`  ${name}`, String(value)])),
          '',
          heading('features'),
          `  ${features.join(', ') || 'none'}`,
        ]),
    '',
    heading(`profile ${profile.name}`),
    `  kernels in ${profile.target}, schedule ${profile.schedule}, used features ${profile.features.join(', ') || 'none'}`,
  ].join('\n')

/** The reports as text. */
export const showDevices = (reports: readonly DeviceReport[]): string =>
  reports.map((r, i) => showDevice(r, i === 0)).join('\n\n')
