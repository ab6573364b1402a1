/** How results of runs print themselves: their elements once these are known, and before that what there is to know. */
import type { HostArray } from '../lang/dtype.ts'
import { showOperand } from '../lang/errors.ts'
import { printing } from '../lang/print/printing.ts'
import { showPrinted } from '../lang/print/tensor-values.ts'
import type { Output } from '../lang/types/output.ts'
import { visible } from '../lang/visible-text.ts'
import { storeOf } from '../runtime/resident.ts'

/** What was read of values: they hold it for their next reader, so that it costs nothing to keep. */
const known = new WeakMap<Output, HostArray>()

/** Where a result is, as far as one can say without waiting. */
const whereabouts = (x: Output): string => {
  if (x.consumed) return 'consumed'
  const store = storeOf(x)
  return store ? `on ${store.device.description}` : 'on its way to the host'
}

const showUnread = (x: Output, isPart: boolean): string => {
  const where = whereabouts(x)
  if (isPart) return `Result(${showOperand(x)}, ${where})`
  const name = x.path === '' ? '' : `${visible(x.path)}: `
  const way = x.consumed
    ? 'a run took it as a donated argument; its own result is in the place of it'
    : 'await x.read() gives its elements'
  return `Result ${name}${showOperand(x)}, ${where}: ${way}`
}

const withText = printing<Output>((x, isPart) => {
  const data = known.get(x)
  return data ? showPrinted({ shape: x.shape, dtype: x.dtype, data }, isPart) : showUnread(x, isPart)
})

/** Has a handle print itself, and remember what was read where it keeps that anyhow. */
export const printingResult = (handle: Output): Output => {
  const { read } = handle
  if (handle.kind === 'resident') return withText(handle)
  const remembering = async (): ReturnType<Output['read']> => {
    const data = await read()
    known.set(handle, data)
    return data
  }
  return withText(Object.assign(handle, { read: remembering }))
}
