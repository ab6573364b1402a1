/** Counts what a program asks of the processor, by wrapping the primitives of its back end, in the words of WebGPU. */
import type { Backend, Commands } from '../backend.ts'
import { type Counter, counterOf, makeCounts, wrap } from '../counter.ts'
import type { Ready } from './ready-kernels.ts'

/** Starts counting what is asked of `backend`. */
export const countBackend = (backend: Backend): Counter => {
  const c = makeCounts()
  const onUpload = ([, bytes]: readonly unknown[]): void => {
    c.uploads++
    c.uploadedBytes += (bytes as Uint8Array).length
  }
  const onCommands = (commands: Commands): void => {
    wrap(commands, 'write', onUpload)
    wrap(commands, 'copy', ([, , , , bytes]) => {
      c.copies++
      c.copiedBytes += bytes as number
    })
    wrap(commands, 'run', ([dispatches]) => {
      c.passes++
      for (const { workgroups } of dispatches as readonly Ready[]) {
        c.dispatches++
        c.workgroups += workgroups
      }
    })
    wrap(commands, 'submit', () => c.submits++)
  }
  return counterOf(c, [
    wrap(backend, 'create', ([bytes]) => {
      c.buffers++
      c.bufferBytes += bytes as number
    }),
    wrap(backend, 'write', onUpload),
    wrap(
      backend,
      'begin',
      () => {},
      (commands) => onCommands(commands as Commands),
    ),
    wrap(backend, 'prepare', ([plan, dispatches]) => {
      c.modules++
      c.pipelines += (plan as Parameters<Backend['prepare']>[0]).kernels.length
      c.bindGroups += (dispatches as readonly unknown[]).length
    }),
  ])
}
