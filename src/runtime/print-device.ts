/** How devices print themselves: emitted modules go without. */
import { bytesText } from '../lang/print/figures.ts'
import { printing } from '../lang/print/printing.ts'
import type { Device } from './device.ts'

/** What a device is called. */
export const nameOf = ({ kind, description }: Device): string =>
  kind === 'cpu' ? description : `${kind} adapter, ${description}`

/** Has a device print itself. */
export const printingDevice: <D extends Device>(device: D) => D = printing<Device>((device) =>
  device.lost()
    ? `Device(${nameOf(device)}; lost)`
    : `Device(${nameOf(device)}; ${bytesText(device.liveBytes())} in use)`,
)
