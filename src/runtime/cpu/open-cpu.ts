/** Opening the processor for programs that are compiled here. */
import { type CpuDevice, cpuDevice } from './device.ts'
import { printedKernels } from './printed-kernels.ts'

/** A device on this processor; its memory takes at most `mostBytes`. */
export const openCpu = (mostBytes?: number): CpuDevice => cpuDevice(printedKernels, mostBytes)
