/** Runs the WebAssembly of a kernel: buffers in, buffers out. */
import type { Kernel } from '../../codegen/kernel/kernel.ts'
import { printModule } from '../../codegen/targets/wasm/print-module.ts'
import { alignUp } from '../../src/lang/dim.ts'

const page = 65536

/** Runs `kernel` over `workgroups` workgroups in a memory of its own; the buffers come back as written. */
export const runWasm = (
  kernel: Kernel,
  workgroups: number,
  buffers: readonly ArrayBuffer[],
): readonly ArrayBuffer[] => {
  const { bytes, scratchBytes } = printModule([kernel])
  // Memory that nobody wrote shows, before the first binding and between them.
  let end = page
  const addresses = [scratchBytes, ...buffers.map((b) => b.byteLength)].map((size) => {
    const at = end
    end = alignUp(end + size, 64) + 64
    return at
  })
  const memory = new WebAssembly.Memory({ initial: Math.ceil(end / page), maximum: 65536 })
  const all = new Uint8Array(memory.buffer).fill(0xff)
  const [scratch, ...bindings] = addresses
  buffers.forEach((b, i) => {
    all.set(new Uint8Array(b), bindings[i]!)
  })
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } })
  ;(exports['k0'] as (...args: readonly number[]) => void)(0, workgroups, scratch!, 0, ...bindings)
  return buffers.map((b, i) => memory.buffer.slice(bindings[i]!, bindings[i]! + b.byteLength))
}
